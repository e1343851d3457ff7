/* The pieces of the load generator (load.c): ZeroMQ's wire protocol on plain sockets, and what a process costs. */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Ends the program with a message. */
void die(const char *what, const char *more);

int64_t now_ns(void);

/* A file's whole content, which lives as long as the program. */
struct bytes {
    unsigned char *data;
    size_t length;
};
struct bytes read_file(const char *folder, const char *name);

/* One connection to a ZeroMQ peer. */
struct conn {
    int fd;
    unsigned char *in;
    size_t in_length;
    size_t in_capacity;
};

int tcp_listen(int port);

/* Waits for a peer and shakes hands; a connection that does not is dropped and the next awaited. fd is -1 if none came. */
struct conn accept_peer(int listener, const char *socket_type, int timeout_ms);

/* Connects and shakes hands; tries again until the peer listens. */
struct conn connect_peer(int port, const char *socket_type, int timeout_ms);

/* Writes the header of a message frame to out and returns its length. */
size_t frame_header(unsigned char *out, uint64_t length);

/* Reads what there is; calls take for every whole message. Returns 0 if there was nothing. */
int read_messages(struct conn *c, void (*take)(const unsigned char *message, size_t length));

/* CPU of each thread of a process, from /proc. */
struct thread {
    int tid;
    char name[16];
    int64_t cpu_ns;
};
enum { MAX_THREADS = 256 };
struct usage {
    int count;
    struct thread threads[MAX_THREADS];
};
void read_usage(int pid, struct usage *into);
long resident_kib(int pid);

/* JSON list of [name, ns since before, ns since the thread's start]. */
void print_usage(const struct usage *before, const struct usage *after);

#endif
