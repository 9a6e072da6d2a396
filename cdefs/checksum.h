/* CRC-32C of a buffer, with the initial value 0xFFFFFFFF and no inversion at the end; see checksum.c. */

uint32_t rbdcffi_crc32c(const char *buffer, size_t length);
