/*
 * CRC-32C, eight bytes at a time by tables: librbd never answers a write with a wrong checksum, so
 * it must not be given one.
 */

static uint32_t crc_tables[8][256];

__attribute__((constructor)) static void crc_fill(void)
{
    uint32_t byte, bit, table;

    for (byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78 : 0);
        crc_tables[0][byte] = crc;
    }
    for (table = 1; table < 8; table++)
        for (byte = 0; byte < 256; byte++) {
            uint32_t before = crc_tables[table - 1][byte];
            crc_tables[table][byte] = (before >> 8) ^ crc_tables[0][before & 0xFF];
        }
}

uint32_t rbdcffi_crc32c(const char *buffer, size_t length)
{
    const unsigned char *at = (const unsigned char *)buffer;
    uint32_t crc = 0xFFFFFFFF;

    for (; length >= 8; length -= 8, at += 8) {
        /* by bytes: the same on big-endian machines, and compilers make one load of it */
        crc ^= (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
               (uint32_t)at[3] << 24;
        crc = crc_tables[7][crc & 0xFF] ^ crc_tables[6][crc >> 8 & 0xFF] ^
              crc_tables[5][crc >> 16 & 0xFF] ^ crc_tables[4][crc >> 24] ^
              crc_tables[3][at[4]] ^ crc_tables[2][at[5]] ^ crc_tables[1][at[6]] ^
              crc_tables[0][at[7]];
    }
    for (; length; length--, at++)
        crc = (crc >> 8) ^ crc_tables[0][(crc ^ *at) & 0xFF];
    return crc;
}
