/*
 * Copyright (C) The nginx camera platform authors
 */

/* Lists of networks: CIDRs of IPv4 and IPv6; an empty one allows all. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "registry.h"


static int cam_cidr_bits(const char *text, size_t len, int max);
static void cam_cidr_unmap(cam_cidr_t *cidr);
static void cam_cidr_mask(cam_cidr_t *cidr);
static int cam_cidr_contains(const cam_cidr_t *cidr, const cam_cidr_t *addr);
static int cam_cidr_sockaddr(cam_cidr_t *addr, const struct sockaddr *sa);


int
cam_cidr_parse(cam_cidr_t *cidr, const char *text, size_t len)
{
    int          max, bits;
    char         addr[INET6_ADDRSTRLEN];
    size_t       n;
    const char  *slash;

    slash = memchr(text, '/', len);
    n = slash ? (size_t) (slash - text) : len;

    if (n == 0 || n >= sizeof(addr)) {
        return -1;
    }

    memcpy(addr, text, n);
    addr[n] = '\0';

    memset(cidr, 0, sizeof(*cidr));

    if (strlen(addr) != n) {
        return -1;
    }

    if (inet_pton(AF_INET, addr, cidr->addr) == 1) {
        cidr->family = AF_INET;
        max = 32;

    } else if (inet_pton(AF_INET6, addr, cidr->addr) == 1) {
        cidr->family = AF_INET6;
        max = 128;

    } else {
        return -1;
    }

    bits = slash ? cam_cidr_bits(slash + 1, len - n - 1, max) : max;

    if (bits == -1) {
        memset(cidr, 0, sizeof(*cidr));
        return -1;
    }

    cidr->bits = (uint8_t) bits;
    cam_cidr_unmap(cidr);
    cam_cidr_mask(cidr);

    return 0;
}


static int
cam_cidr_bits(const char *text, size_t len, int max)
{
    int     bits;
    size_t  i;

    if (len == 0 || len > 3 || (len > 1 && text[0] == '0')) {
        return -1;
    }

    bits = 0;

    for (i = 0; i < len; i++) {

        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }

        bits = bits * 10 + text[i] - '0';
    }

    return bits <= max ? bits : -1;
}


/* "::ffff:10.0.0.0/104" is a network of IPv4, as which its addresses count */

static void
cam_cidr_unmap(cam_cidr_t *cidr)
{
    static const uint8_t  mapped[12] = { [10] = 0xff, [11] = 0xff };

    if (cidr->family == AF_INET6 && cidr->bits >= 96
        && memcmp(cidr->addr, mapped, sizeof(mapped)) == 0)
    {
        cidr->family = AF_INET;
        cidr->bits -= 96;
        memcpy(cidr->addr, cidr->addr + 12, 4);
        memset(cidr->addr + 4, 0, 12);
    }
}


/* clears what lies behind the prefix, so that addresses compare by bytes */

static void
cam_cidr_mask(cam_cidr_t *cidr)
{
    int  i, left;

    for (i = 0; i < 16; i++) {
        left = cidr->bits - 8 * i;

        if (left <= 0) {
            cidr->addr[i] = 0;

        } else if (left < 8) {
            cidr->addr[i] &= (uint8_t) (0xff << (8 - left));
        }
    }
}


int
cam_registry_allows(const cam_registry_entry_t *entry,
    const struct sockaddr *sa)
{
    return cam_cidr_allows(entry->cidr, CAM_REGISTRY_CIDRS, sa);
}


int
cam_cidr_allows(const cam_cidr_t *list, int n, const struct sockaddr *sa)
{
    int         i, listed;
    cam_cidr_t  addr;

    listed = 0;

    for (i = 0; i < n; i++) {
        listed |= list[i].family;
    }

    if (!listed) {
        return 1;
    }

    if (cam_cidr_sockaddr(&addr, sa) == -1) {
        return 0;
    }

    for (i = 0; i < n; i++) {

        if (cam_cidr_contains(&list[i], &addr)) {
            return 1;
        }
    }

    return 0;
}


static int
cam_cidr_sockaddr(cam_cidr_t *addr, const struct sockaddr *sa)
{
    const uint8_t              *p;
    const struct sockaddr_in   *sin;
    const struct sockaddr_in6  *sin6;

    memset(addr, 0, sizeof(*addr));

    switch (sa->sa_family) {

    case AF_INET:
        sin = (const struct sockaddr_in *) sa;
        addr->family = AF_INET;
        memcpy(addr->addr, &sin->sin_addr, 4);
        return 0;

    case AF_INET6:
        sin6 = (const struct sockaddr_in6 *) sa;
        p = sin6->sin6_addr.s6_addr;

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            addr->family = AF_INET;
            memcpy(addr->addr, p + 12, 4);

        } else {
            addr->family = AF_INET6;
            memcpy(addr->addr, p, 16);
        }

        return 0;

    default:
        return -1;
    }
}


static int
cam_cidr_contains(const cam_cidr_t *cidr, const cam_cidr_t *addr)
{
    cam_cidr_t  masked;

    if (cidr->family == 0 || cidr->family != addr->family) {
        return 0;
    }

    masked = *addr;
    masked.bits = cidr->bits;
    cam_cidr_mask(&masked);

    return memcmp(masked.addr, cidr->addr, 16) == 0;
}
