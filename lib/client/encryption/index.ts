export type { ClientEncryption, EncryptionSession } from '../client-encryption.interface.js';
export { webCryptoEncryption } from './web-crypto.encryption.js';
