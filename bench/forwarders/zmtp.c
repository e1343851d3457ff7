/* ZMTP 3.0 (https://rfc.zeromq.org/spec/23/) with the NULL mechanism, as far as PUSH and PULL need it. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIGNATURE = 10, GREETING = 64, BUFFER = 1 << 20, HANDSHAKE_MS = 2000, RETRY_US = 5000 };
enum { LONG = 2, COMMAND = 4 };

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int tcp_listen(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in address = loopback(port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 16)) {
        die("cannot listen", strerror(errno));
    }
    return fd;
}

static int read_all(int fd, unsigned char *into, size_t length, int64_t until) {
    while (length > 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int wait_ms = (int)((until - now_ns()) / 1000000);
        if (wait_ms <= 0 || poll(&p, 1, wait_ms) <= 0) {
            return 0;
        }
        ssize_t n = read(fd, into, length);
        if (n <= 0) {
            return 0;
        }
        into += n;
        length -= n;
    }
    return 1;
}

/*
 * Greeting and READY, both ways. JeroMQ loses the writing side of some fresh connections (its pull request 1022) and gives them
 * up half a second later; this waits longer. But it forgets that limit once it has read a whole greeting, and then never writes a
 * byte. So this sends the signature first and the rest after the peer's, as libzmq and JeroMQ do.
 */
static int shake_hands(int fd, const char *socket_type) {
    unsigned char greeting[GREETING] = {[0] = 0xff, [9] = 0x7f, [10] = 3, [12] = 'N', 'U', 'L', 'L'}, ready[64], in[256];
    size_t type_length = strlen(socket_type), at = 0;
    int64_t until = now_ns() + HANDSHAKE_MS * 1000000LL;
    if (write(fd, greeting, SIGNATURE) != SIGNATURE || !read_all(fd, in, SIGNATURE, until) ||
        write(fd, greeting + SIGNATURE, GREETING - SIGNATURE) != GREETING - SIGNATURE ||
        !read_all(fd, in + SIGNATURE, GREETING - SIGNATURE, until)) {
        return 0;
    }
    ready[at++] = COMMAND;
    ready[at++] = 6 + 1 + 11 + 4 + type_length;
    memcpy(ready + at, "\5READY\13Socket-Type\0\0", 21);
    at += 21;
    ready[at++] = type_length;
    memcpy(ready + at, socket_type, type_length);
    at += type_length;
    if (write(fd, ready, at) != (ssize_t)at || !read_all(fd, in, 2, until)) {
        return 0;
    }
    return in[0] == COMMAND && read_all(fd, in + 2, in[1], until);
}

static int open_conn(struct conn *c, int fd, const char *socket_type) {
    int one = 1, size = BUFFER;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    /* Where BBR is the default it takes the pauses of a busy machine for a slow network and paces itself to a crawl. */
    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (!shake_hands(fd, socket_type)) {
        close(fd);
        return 0;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    *c = (struct conn){.fd = fd, .in = malloc(BUFFER), .in_capacity = BUFFER};
    return 1;
}

struct conn accept_peer(int listener, const char *socket_type, int timeout_ms) {
    int64_t until = now_ns() + timeout_ms * 1000000LL;
    struct conn c;
    for (;;) {
        struct pollfd p = {.fd = listener, .events = POLLIN};
        int wait_ms = (int)((until - now_ns()) / 1000000);
        if (wait_ms <= 0 || poll(&p, 1, wait_ms) <= 0) {
            return (struct conn){.fd = -1};
        }
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0 && open_conn(&c, fd, socket_type)) {
            return c;
        }
    }
}

struct conn connect_peer(int port, const char *socket_type, int timeout_ms) {
    int64_t until = now_ns() + timeout_ms * 1000000LL;
    struct sockaddr_in address = loopback(port);
    struct conn c;
    while (now_ns() < until) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
            close(fd);
            usleep(RETRY_US);
        } else if (open_conn(&c, fd, socket_type)) {
            return c;
        }
    }
    die("could not connect", socket_type);
    abort();
}

size_t frame_header(unsigned char *out, uint64_t length) {
    if (length < 256) {
        out[0] = 0;
        out[1] = length;
        return 2;
    }
    out[0] = LONG;
    for (int i = 0; i < 8; i++) {
        out[1 + i] = length >> (56 - 8 * i);
    }
    return 9;
}

int read_messages(struct conn *c, void (*take)(const unsigned char *message, size_t length)) {
    ssize_t n = read(c->fd, c->in + c->in_length, c->in_capacity - c->in_length);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN) {
            return 0;
        }
        die("a peer closed its connection", "");
    }
    c->in_length += n;
    size_t at = 0;
    while (c->in_length - at >= 2) {
        const unsigned char *p = c->in + at;
        size_t header = p[0] & LONG ? 9 : 2;
        uint64_t length = p[1];
        if (c->in_length - at < header) {
            break;
        }
        if (p[0] & LONG) {
            length = 0;
            for (int i = 0; i < 8; i++) {
                length = length << 8 | p[1 + i];
            }
        }
        if (header + length > c->in_capacity) {
            die("a message is too long", "");
        }
        if (c->in_length - at < header + length) {
            break;
        }
        if (!(p[0] & COMMAND)) {
            take(p + header, length);
        }
        at += header + length;
    }
    memmove(c->in, c->in + at, c->in_length - at);
    c->in_length -= at;
    return 1;
}
