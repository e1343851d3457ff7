/*
 * Load generator and sink for scripts/bench-controller.sh: a tokenizer worker that sends requests and eight ranks that end
 * each at once. Speaks ZeroMQ's wire protocol on plain sockets, because libzmq on both sides would cost as much as what is measured.
 *
 *   load PID FOLDER INPUT_PORT WORKER_PORT RANK_PORT... ENDPOINT_PORT
 *
 * Listens on INPUT_PORT as PUSH, connects to the ranks' ports as PULL. If FOLDER holds hello.bin it sends that first, listens on
 * WORKER_PORT for the controller's notices, and ends each request with an EndNotice. Then one phase for each line of standard
 * input, one line of JSON for each phase:
 *
 *   PROMPT REPORTS MODE AMOUNT SECONDS MARK_NS
 *
 * Requests from FOLDER/request-PROMPT.bin, before each REPORTS reports (below zero: so many, as this project's workers send them:
 * on a connection of their own to the port after the ranks', where the controller listens, and those that are due together in
 * one message with the newest of each rank); MODE saturate keeps AMOUNT requests under way, MODE rate sends AMOUNT a second at
 * random times; MARK_NS is a moment at which the requests that arrived are counted too.
 */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { RANKS = 64, RING = 1 << 21, DIGITS = 10, OUT = 1 << 21, AHEAD = 1 << 19, ENDS_PER_NOTICE = 16, RID = 128, PEER_MS = 20000, HELLO_MS = 3000 };
/* Where the list of loads begins in ["WatchLoadUpdateReq", nil, nil, [..]]; a fixarray has up to 15. */
enum { LOADS_AT = 22, MERGED = 15, UPDATE = 4096 };
enum { ASK_NS = 10000000, GRACE_NS = 1000000000, ENDS_ROOM = 1 << 16 };

static const char DIGITS_MARK[] = "##########";
static const unsigned char STAMP_MARK[] = {0x7f, 0xf8, 0xde, 0xad, 0xbe, 0xef, 0xca, 0xfe};

/* A message with places to fill in. */
struct template {
    struct bytes bytes;
    size_t places[8];
    int count;
};

/* What is to be written to a peer. */
struct outbox {
    int fd;
    unsigned char data[OUT];
    size_t begin, end;
};

static struct conn input, worker, ranks[RANKS];
static struct outbox stream, endpoint;
static int rank_count, pid, has_hello;
static struct template request, report[RANKS], ask;
static size_t rid_at, rid_length;
static int64_t sent, received, *sent_at;
static int64_t per_rank[RANKS];
static int current_rank;
static uint32_t *latencies, *lateness;
static int64_t latency_count, lateness_count;
static unsigned char ended[ENDS_PER_NOTICE][RID];
static int ended_count;
static FILE *answers;

static struct template load_template(const char *folder, const char *name, const void *mark, size_t length) {
    struct template t = {.bytes = read_file(folder, name)};
    for (size_t i = 0; i + length <= t.bytes.length && t.count < 8; i++) {
        if (memcmp(t.bytes.data + i, mark, length) == 0) {
            t.places[t.count++] = i;
        }
    }
    return t;
}

static size_t room(const struct outbox *o) { return OUT - o->end; }

static unsigned char *append(struct outbox *o, const unsigned char *message, size_t length) {
    o->end += frame_header(o->data + o->end, length);
    memcpy(o->data + o->end, message, length);
    o->end += length;
    return o->data + o->end - length;
}

static void put_digits(unsigned char *at, int64_t n) {
    for (int i = DIGITS - 1; i >= 0; i--, n /= 10) {
        at[i] = '0' + n % 10;
    }
}

static void put_request(int64_t stamp_ns) {
    unsigned char *m = append(&stream, request.bytes.data, request.bytes.length);
    for (int i = 0; i < request.count; i++) {
        put_digits(m + request.places[i], sent);
    }
    sent_at[sent++ % RING] = stamp_ns;
}

static void put_stamp(unsigned char *at, int64_t stamp_ns) {
    double s = stamp_ns / 1e9;
    uint64_t bits;
    memcpy(&bits, &s, sizeof bits);
    for (int i = 0; i < 8; i++) {
        at[i] = bits >> (56 - 8 * i);
    }
}

static void put_report(struct outbox *o, int rank, int64_t stamp_ns) {
    struct template *t = &report[rank];
    put_stamp(append(o, t->bytes.data, t->bytes.length) + t->places[0], stamp_ns);
}

/* One message with the loads of COUNT ranks, beginning with FIRST. */
static void put_update(struct outbox *o, int first, int count, int64_t stamp_ns) {
    static unsigned char m[UPDATE];
    size_t at = LOADS_AT + 1;
    memcpy(m, report[0].bytes.data, LOADS_AT);
    m[LOADS_AT] = 0x90 | count;
    for (int i = 0; i < count; i++) {
        struct template *t = &report[(first + i) % rank_count];
        size_t length = t->bytes.length - LOADS_AT - 1;
        if (at + length > sizeof m) {
            die("a report is too long", "");
        }
        memcpy(m + at, t->bytes.data + LOADS_AT + 1, length);
        put_stamp(m + at + t->places[0] - LOADS_AT - 1, stamp_ns);
        at += length;
    }
    append(o, m, at);
}

/* ["EndNotice", nil, nil, [rids]] */
static void put_ends(void) {
    unsigned char m[16 + ENDS_PER_NOTICE * (RID + 2)];
    size_t at = 0;
    memcpy(m, "\x94\xa9" "EndNotice\xc0\xc0\xdc\0", 15);
    at = 15;
    m[at++] = ended_count;
    for (int i = 0; i < ended_count; i++) {
        m[at++] = 0xd9;
        m[at++] = rid_length;
        memcpy(m + at, ended[i], rid_length);
        at += rid_length;
    }
    append(&stream, m, at);
    ended_count = 0;
}

/* A rank got a request. Control messages of ours have no digits there and are passed over. */
static void take_request(const unsigned char *message, size_t length) {
    int64_t n = 0;
    size_t digits_at = request.places[0];
    if (length < 256 || memcmp(message + 4, "TokenizedGen", 12) != 0) {
        return;
    }
    for (int i = 0; i < DIGITS; i++) {
        n = n * 10 + message[digits_at + i] - '0';
    }
    if (n < 0 || n >= sent) {
        die("a request came back that was never sent", "");
    }
    latencies[latency_count++ % RING] = (uint32_t)((now_ns() - sent_at[n % RING]) / 100);
    received++;
    per_rank[current_rank]++;
    if (has_hello) {
        if (ended_count == ENDS_PER_NOTICE) {
            put_ends();
        }
        memcpy(ended[ended_count++], message + rid_at, rid_length);
    }
}

static void take_notice(const unsigned char *message, size_t length) {
    if (length > 24 && memcmp(message + 1, "\xb3GetRequestReqOutput", 20) == 0) {
        uint32_t n = length;
        fwrite(&n, sizeof n, 1, answers);
        fwrite(message, 1, length, answers);
        fflush(answers);
    }
}

static int by_value(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static double percentile_us(const uint32_t *values, int64_t count, double p) {
    return count == 0 ? 0 : values[(int64_t)((count - 1) * p)] / 10.0;
}

static void flush(struct outbox *o) {
    while (o->begin < o->end) {
        ssize_t n = write(o->fd, o->data + o->begin, o->end - o->begin);
        if (n < 0) {
            if (errno != EAGAIN) {
                die("cannot write:", strerror(errno));
            }
            break;
        }
        o->begin += n;
    }
    memmove(o->data, o->data + o->begin, o->end - o->begin);
    o->end -= o->begin;
    o->begin = 0;
}

/* Waits for anything to do, at most so long. */
static void wait_for_peers(int64_t wait_ns) {
    struct pollfd p[RANKS + 2];
    struct timespec wait = {wait_ns / 1000000000, wait_ns % 1000000000};
    int n = 0;
    for (; n < rank_count; n++) {
        p[n] = (struct pollfd){.fd = ranks[n].fd, .events = POLLIN};
    }
    p[n++] = (struct pollfd){.fd = input.fd, .events = stream.end > 0 ? POLLOUT : 0};
    if (has_hello) {
        p[n++] = (struct pollfd){.fd = worker.fd, .events = POLLIN};
    }
    if (ppoll(p, n, &wait, NULL) <= 0) {
        return;
    }
    for (int r = 0; r < rank_count; r++) {
        current_rank = r;
        if (p[r].revents && room(&stream) > ENDS_ROOM) {
            read_messages(&ranks[r], take_request);
        }
    }
    if (has_hello && p[n - 1].revents) {
        read_messages(&worker, take_notice);
    }
}

static double cpu_s(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void run_phase(int prompt, int reports, int saturate, double amount, double seconds, int64_t mark_ns) {
    struct usage before, after;
    int64_t sent_before = sent, received_before = received, marked = -1, began = now_ns();
    int64_t until = began + (int64_t)(seconds * 1e9), last_ask = began;
    double next_due = began, report_due = began, cpu_before = cpu_s();
    int64_t blocked = 0, looks = 0, updates = 0;
    int report_rank = 0;
    latency_count = lateness_count = 0;
    memset(per_rank, 0, sizeof per_rank);
    read_usage(pid, &before);
    int64_t now = began;
    while ((now = now_ns()) < until) {
        if (marked < 0 && mark_ns > 0 && now >= mark_ns) {
            marked = received - received_before;
        }
        /* Room for what one look at the ranks may have to send is kept; a long request goes out by itself. */
        while ((saturate ? sent - received < amount : next_due <= now)
               && (stream.end + request.bytes.length <= AHEAD
                   || (stream.end == 0 && request.bytes.length + AHEAD < OUT))) {
            int64_t stamp = saturate ? now : (int64_t)next_due;
            for (int i = 0; i < reports; i++) {
                put_report(&stream, report_rank, stamp);
                report_rank = (report_rank + 1) % rank_count;
            }
            put_request(stamp);
            if (!saturate) {
                next_due += -log(1 - drand48()) * 1e9 / amount;
            }
        }
        /* A rank samples its load when it writes it: what this program is late by itself, because others have its core, is no
           age. What waits because the controller does not take it grows old, here as in the sockets. */
        int due = 0;
        int64_t oldest = (int64_t)report_due;
        for (; reports < 0 && report_due <= now && endpoint.end < AHEAD; report_due -= 1e9 / amount / reports) {
            lateness[lateness_count++ % RING] = (uint32_t)((now - (int64_t)report_due) / 100);
            due++;
        }
        if (due > 0) {
            int most = rank_count < MERGED ? rank_count : MERGED, loads = due < most ? due : most;
            put_update(&endpoint, report_rank, loads, endpoint.end == 0 ? now_ns() : oldest);
            report_rank = (report_rank + loads) % rank_count;
            updates++;
        }
        if (has_hello && ended_count > 0) {
            put_ends();
        }
        if (ask.bytes.length && reports && now - last_ask >= ASK_NS) {
            last_ask = now;
            append(&stream, ask.bytes.data, ask.bytes.length);
        }
        flush(&endpoint);
        flush(&stream);
        looks++;
        blocked += stream.end > 0;
        int64_t wait = saturate || next_due >= until ? until - now : (int64_t)next_due - now_ns();
        if (mark_ns > now && wait > mark_ns - now) {
            wait = mark_ns - now;
        }
        wait_for_peers(stream.end > 0 || endpoint.end > 0 ? GRACE_NS / 1000 : wait < 0 ? 0 : wait);
    }
    read_usage(pid, &after);
    double took = (now - began) / 1e9, cpu = cpu_s() - cpu_before;
    long rss = resident_kib(pid);
    int64_t sent_in = sent - sent_before, received_in = received - received_before;
    double behind_s = saturate ? 0 : (now - next_due) / 1e9;
    int64_t counted = latency_count < RING ? latency_count : RING, late = lateness_count < RING ? lateness_count : RING;
    qsort(latencies, counted, sizeof *latencies, by_value);
    qsort(lateness, late, sizeof *lateness, by_value);
    printf("{\"prompt_tokens\":%d,\"reports\":%d,\"mode\":\"%s\",\"amount\":%.0f,\"seconds\":%.3f,\"sent\":%lld,"
           "\"received\":%lld,\"at_mark\":%lld,\"p50_us\":%.1f,\"p99_us\":%.1f,\"generator_behind_s\":%.4f,\"blocked\":%.3f,"
           "\"reports_written\":%lld,\"updates_written\":%lld,\"report_late_p50_us\":%.1f,\"report_late_p99_us\":%.1f,"
           "\"load_cpu\":%.3f,\"rss_kib\":%ld,\"per_rank\":[",
           prompt, reports, saturate ? "saturate" : "rate", amount, took, (long long)sent_in, (long long)received_in,
           (long long)marked, percentile_us(latencies, counted, 0.5), percentile_us(latencies, counted, 0.99), behind_s, (double)blocked / looks,
           (long long)lateness_count, (long long)updates, percentile_us(lateness, late, 0.5), percentile_us(lateness, late, 0.99), cpu / took, rss);
    for (int r = 0; r < rank_count; r++) {
        printf("%s%lld", r ? "," : "", (long long)per_rank[r]);
    }
    printf("],\"threads\":");
    print_usage(&before, &after);
    /* What is under way belongs to this phase: wait for it. */
    int64_t drain_until = now_ns() + 20LL * GRACE_NS, quiet = now_ns();
    while ((received < sent || stream.end > 0 || ended_count > 0) && now_ns() < drain_until) {
        int64_t had = received;
        if (ended_count > 0) {
            put_ends();
        }
        flush(&endpoint);
        flush(&stream);
        wait_for_peers(GRACE_NS / 100);
        if (received != had) {
            quiet = now_ns();
        } else if (now_ns() - quiet > 2 * GRACE_NS) {
            break;
        }
    }
    printf(",\"drain_s\":%.2f,\"lost\":%lld}\n", (now_ns() - now) / 1e9, (long long)(sent - received));
    received = sent;
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc < 7) {
        die("see load.c for the arguments", "");
    }
    pid = atoi(argv[1]);
    const char *folder = argv[2];
    int listener = tcp_listen(atoi(argv[3])), worker_listener = tcp_listen(atoi(argv[4]));
    char name[64], line[256];
    struct bytes hello = read_file(folder, "hello.bin");
    has_hello = hello.data != NULL;
    ask = load_template(folder, "ask.bin", DIGITS_MARK, DIGITS);
    answers = fopen(strcat(strcpy(line, folder), "/answers.bin"), "wb");
    sent_at = malloc(RING * sizeof *sent_at);
    latencies = malloc(RING * sizeof *latencies);
    lateness = malloc(RING * sizeof *lateness);
    rank_count = argc - 6;
    for (int r = 0; r < rank_count; r++) {
        snprintf(name, sizeof name, "report-%d.bin", r);
        report[r] = load_template(folder, name, STAMP_MARK, sizeof STAMP_MARK);
        ranks[r] = connect_peer(atoi(argv[5 + r]), "PULL", PEER_MS);
    }
    input = accept_peer(listener, "PUSH", PEER_MS);
    if (input.fd < 0) {
        die("the forwarder did not connect", "");
    }
    stream.fd = input.fd;
    if (has_hello) {
        endpoint.fd = connect_peer(atoi(argv[argc - 1]), "PUSH", PEER_MS).fd;
        worker.fd = -1;
        for (int64_t until = now_ns() + PEER_MS * 1000000LL; worker.fd < 0; worker = accept_peer(worker_listener, "PULL", HELLO_MS)) {
            if (now_ns() > until) {
                die("the controller did not answer the hello", "");
            }
            append(&stream, hello.data, hello.length); /* JeroMQ may lose what comes on a connection just made */
            flush(&stream);
        }
    }
    printf("{\"connected_ns\":%lld,\"rss_kib\":%ld}\n", (long long)now_ns(), resident_kib(pid));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        int prompt, reports;
        char mode[16];
        double amount, seconds;
        long long mark;
        if (sscanf(line, "%d %d %15s %lf %lf %lld", &prompt, &reports, mode, &amount, &seconds, &mark) != 6) {
            die("not a phase:", line);
        }
        snprintf(name, sizeof name, "request-%d.bin", prompt);
        request = load_template(folder, name, DIGITS_MARK, DIGITS);
        if (request.count == 0) {
            die("no request to send in", name);
        }
        struct bytes rid = read_file(folder, "rid.txt"); /* two numbers: where the rid begins, its length */
        if (!rid.data || sscanf((char *)rid.data, "%zu %zu", &rid_at, &rid_length) != 2 || rid_length > RID - 1) {
            die("no place of the rid in", folder);
        }
        run_phase(prompt, reports, strcmp(mode, "saturate") == 0, amount, seconds, mark);
    }
    return 0;
}
