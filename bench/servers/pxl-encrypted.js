/** The library again, with encryption switched on. */
process.env.PXL_ENCRYPTION = 'true';
await import('./pxl.js');
