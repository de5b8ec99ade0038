export type { ClientEncryption } from '../client-encryption.interface.js';
export { webCryptoEncryption } from './web-crypto.encryption.js';
