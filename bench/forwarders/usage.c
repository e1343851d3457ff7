/* What a process costs, from /proc: CPU of each thread to the nanosecond (schedstat), and resident memory. */
#define _GNU_SOURCE
#include "load.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(const char *what, const char *more) {
    fprintf(stderr, "error: load: %s %s\n", what, more);
    exit(1);
}

int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

struct bytes read_file(const char *folder, const char *name) {
    char path[4096];
    struct bytes b = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        return b;
    }
    fseek(f, 0, SEEK_END);
    b.length = ftell(f);
    rewind(f);
    b.data = malloc(b.length + 1); /* and a zero, for those that are text */
    if (fread(b.data, 1, b.length, f) != b.length) {
        die("cannot read", path);
    }
    b.data[b.length] = 0;
    fclose(f);
    return b;
}

void read_usage(int pid, struct usage *into) {
    char path[64];
    into->count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks) {
        die("the forwarder is gone", "");
    }
    for (struct dirent *e = readdir(tasks); e && into->count < MAX_THREADS; e = readdir(tasks)) {
        struct thread *t = &into->threads[into->count];
        long long ns;
        t->tid = atoi(e->d_name);
        snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", pid, t->tid);
        FILE *f = t->tid ? fopen(path, "r") : NULL;
        if (!f) {
            continue;
        }
        int found = fscanf(f, "%lld", &ns);
        fclose(f);
        snprintf(path, sizeof path, "/proc/%d/task/%d/comm", pid, t->tid);
        f = fopen(path, "r");
        if (found != 1 || !f) {
            continue;
        }
        if (fgets(t->name, sizeof t->name, f)) {
            t->name[strcspn(t->name, "\n\"\\")] = 0;
            t->cpu_ns = ns;
            into->count++;
        }
        fclose(f);
    }
    closedir(tasks);
}

void print_usage(const struct usage *before, const struct usage *after) {
    printf("[");
    for (int i = 0; i < after->count; i++) {
        const struct thread *t = &after->threads[i];
        int64_t was = 0;
        for (int j = 0; j < before->count; j++) {
            if (before->threads[j].tid == t->tid) {
                was = before->threads[j].cpu_ns;
            }
        }
        printf("%s[\"%s\",%lld,%lld]", i ? "," : "", t->name, (long long)(t->cpu_ns - was), (long long)t->cpu_ns);
    }
    printf("]");
}

long resident_kib(int pid) {
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "VmRSS: %ld", &kib) == 1) {
            break;
        }
    }
    if (f) {
        fclose(f);
    }
    return kib;
}
