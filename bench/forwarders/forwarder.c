/*
 * The least that a forwarder on libzmq can do: reads the tag, sends the same bytes to the rank with the fewest tokens, takes
 * reports. One thread besides libzmq's own; waits in recv.
 *
 *   forwarder INPUT_ENDPOINT RANK_ENDPOINT...
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { RANKS = 64, BUFFER = 1 << 20 };

static int64_t tokens[RANKS];
static void *ranks[RANKS];

static void check(int status, const char *what) {
    if (status < 0) {
        fprintf(stderr, "error: %s: %s\n", what, zmq_strerror(errno));
        exit(1);
    }
}

static void *open_socket(void *context, int kind) {
    int zero = 0, buffer = BUFFER;
    void *s = zmq_socket(context, kind);
    check(zmq_setsockopt(s, kind == ZMQ_PULL ? ZMQ_RCVHWM : ZMQ_SNDHWM, &zero, sizeof zero), "HWM");
    check(zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof zero), "LINGER");
    check(zmq_setsockopt(s, kind == ZMQ_PULL ? ZMQ_RCVBUF : ZMQ_SNDBUF, &buffer, sizeof buffer), "buffer");
    return s;
}

/* Bytes behind a text or nil. */
static const unsigned char *skip(const unsigned char *p) {
    if ((*p & 0xe0) == 0xa0) {
        return p + 1 + (*p & 0x1f);
    }
    return *p == 0xd9 ? p + 2 + p[1] : *p == 0xda ? p + 3 + (p[1] << 8 | p[2]) : p + 1;
}

static int64_t integer(const unsigned char **at) {
    const unsigned char *p = *at;
    int bytes = *p == 0xcc ? 1 : *p == 0xcd ? 2 : *p == 0xce ? 4 : 0;
    int64_t value = bytes ? 0 : *p;
    for (int i = 1; i <= bytes; i++) {
        value = value << 8 | p[i];
    }
    *at = p + 1 + bytes;
    return value;
}

/* Prompt tokens, from the length of the ids' bytes: ["q", bin]. */
static int64_t prompt_tokens(const unsigned char *tag) {
    const unsigned char *p = skip(skip(skip(skip(tag))));
    if (*p++ != 0x92) {
        return 0;
    }
    int width = p[1] == 'q' ? 8 : 4;
    p += 2;
    int64_t length = *p == 0xc4 ? p[1] : *p == 0xc5 ? p[1] << 8 | p[2] : (int64_t)p[1] << 24 | p[2] << 16 | p[3] << 8 | p[4];
    return length / width;
}

/* ["WatchLoadUpdateReq", nil, nil, [["GetLoadReqOutput", nil, nil, dp_rank, num_reqs, num_waiting_reqs, num_tokens, ts_tic]]] */
static void take_report(const unsigned char *tag, int rank_count) {
    const unsigned char *p = skip(skip(skip(tag)));
    int loads = *p++ & 0x0f;
    while (loads-- > 0) {
        p = skip(skip(skip(p + 1)));
        int64_t rank = integer(&p);
        integer(&p);
        integer(&p);
        if (rank < rank_count) {
            tokens[rank] = integer(&p);
        }
        p += 9;
    }
}

int main(int argc, char **argv) {
    int rank_count = argc - 2;
    if (rank_count < 1 || rank_count > RANKS) {
        fprintf(stderr, "error: 1 to %d ranks\n", RANKS);
        return 2;
    }
    void *context = zmq_ctx_new();
    void *input = open_socket(context, ZMQ_PULL);
    for (int r = 0; r < rank_count; r++) {
        ranks[r] = open_socket(context, ZMQ_PUSH);
        check(zmq_bind(ranks[r], argv[2 + r]), argv[2 + r]);
    }
    check(zmq_connect(input, argv[1]), argv[1]);
    puts("READY forwarder.c");
    fflush(stdout);
    for (;;) {
        zmq_msg_t message;
        zmq_msg_init(&message);
        if (zmq_msg_recv(&message, input, 0) < 0) {
            return 0;
        }
        const unsigned char *p = zmq_msg_data(&message);
        const unsigned char *tag = *p == 0xdc ? p + 3 : p + 1;
        if (*tag == (0xa0 | 18)) {
            take_report(tag, rank_count);
            zmq_msg_close(&message);
            continue;
        }
        int best = 0;
        for (int r = 1; r < rank_count; r++) {
            best = tokens[r] < tokens[best] ? r : best;
        }
        tokens[best] += prompt_tokens(tag);
        check(zmq_msg_send(&message, ranks[best], 0), "send");
    }
}
