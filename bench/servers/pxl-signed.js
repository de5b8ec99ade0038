process.env.PXL_SECRET = 'what the workers of the bench share';
await import('./pxl.js');
