export type { ClientEncryption, EncryptedSocket, EncryptionSession } from '../client-encryption.interface.js';
export { encryptedSocket } from './encrypted-socket.js';
export { webCryptoEncryption } from './web-crypto.encryption.js';
