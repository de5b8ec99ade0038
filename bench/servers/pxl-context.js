process.env.PXL_CONTEXT = 'on';
await import('./pxl.js');
