process.env.PXL_SAMPLED = '0.01';
await import('./pxl-traced.js');
