/**
 * A text of at least 32 characters that all workers and emitters share. Two of them while it is changed: the first one
 * signs, both are believed; `false` stands for no signature while signing is switched on.
 */
export type SecretOption = string | (string | false)[];
