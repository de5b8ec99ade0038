process.env.PXL_METRICS = 'on';
await import('./pxl.js');
