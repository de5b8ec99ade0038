/** How much of an item the warehouse has. */
export interface Stock {
  item: string;
  left: number;
}

/** What the warehouse and its shops say to each other. */
export interface Warehouse {
  /** What a shop asks the warehouse. */
  routes: {
    stock: {
      list: { reply: Stock[] };
      take: { data: { item: unknown }; reply: Stock };
    };
  };
  /** What the warehouse says unasked. */
  pushes: { stock: { changed: Stock } };
  /** What the warehouse asks a shop. */
  calls: { shop: { demand: { data: { item: string }; reply: number } } };
}
