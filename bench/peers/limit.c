/* What the machine allows: accepted sockets, one buffer for all, one send each. No parsing beyond the handshakes, no
 * Redis, no state of a viewer but the position of its descriptor.
 *
 * The publisher connects, sends PUBLISH and then one event of JSON a line. Like Taskroom's, a flush carries all events
 * that came since the one before, and two flushes are 25 ms apart. A full socket is waited for.
 *
 * usage: limit PORT */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS 25000000L
#define MOST 65536 /* descriptors */
#define ROOM (1 << 22) /* bytes of one flush */

enum { SSE, SOCKET_IO, WIRES };

struct lane { /* the viewers of one wire, and what they are sent next */
    int viewers[MOST], count;
    char *buffer;
    size_t size;
};

static struct lane lanes[WIRES];
static signed char wire_of[MOST]; /* -1: not known yet, or the publisher */
static int place_of[MOST], publisher = -1, poller;
static char events[ROOM];
static size_t pending; /* bytes of an incomplete event */

static long now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000L + at.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void leave(int fd) {
    if (wire_of[fd] >= 0) {
        struct lane *lane = &lanes[(int)wire_of[fd]];
        int last = lane->viewers[--lane->count];
        lane->viewers[place_of[fd]] = last;
        place_of[last] = place_of[fd];
    }
    if (fd == publisher)
        publisher = -1;
    close(fd);
}

static void send_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno != EAGAIN)
                return; /* it has gone; epoll tells of it */
            struct pollfd full = {.fd = fd, .events = POLLOUT};
            poll(&full, 1, 1000);
            continue;
        }
        data += sent;
        size -= sent;
    }
}

static void join(int fd, int wire) {
    struct lane *lane = &lanes[wire];
    wire_of[fd] = wire;
    place_of[fd] = lane->count;
    lane->viewers[lane->count++] = fd;
}

static size_t frame(char *to, const char *text, size_t size) {
    size_t head = size < 126 ? 2 : 4;
    to[0] = (char)0x81;
    to[1] = (char)(size < 126 ? size : 126);
    if (head == 4) {
        to[2] = (char)(size >> 8);
        to[3] = (char)size;
    }
    memcpy(to + head, text, size);
    return head + size;
}

static void send_frame(int fd, const char *text) {
    char made[512];
    send_all(fd, made, frame(made, text, strlen(text)));
}

static void add(const char *event, size_t size) {
    char packet[4096];
    struct lane *sse = &lanes[SSE], *sockets = &lanes[SOCKET_IO];
    if (size > 4000 || sse->size + size + 64 > ROOM || sockets->size + size + 64 > ROOM)
        fail("too many bytes at once");
    sse->size += sprintf(sse->buffer + sse->size, "event: log\ndata: %.*s\n\n", (int)size, event);
    int length = sprintf(packet, "42[\"log\",%.*s]", (int)size, event);
    sockets->size += frame(sockets->buffer + sockets->size, packet, length);
}

static void receive_events(void) {
    ssize_t got = recv(publisher, events + pending, sizeof events - pending, 0);
    if (got <= 0) {
        leave(publisher);
        return;
    }
    char *start = events, *end = events + pending + got, *stop;
    while ((stop = memchr(start, '\n', end - start))) {
        add(start, stop - start);
        start = stop + 1;
    }
    pending = end - start;
    memmove(events, start, pending);
}

static void flush(void) {
    for (int wire = 0; wire < WIRES; wire++) {
        struct lane *lane = &lanes[wire];
        if (lane->size)
            for (int n = 0; n < lane->count; n++)
                send_all(lane->viewers[n], lane->buffer, lane->size);
        lane->size = 0;
    }
}

/* The load client sends one message at a time and waits for its answer, so a message is one recv. */
static void answer(int fd) {
    char data[16384];
    ssize_t got = recv(fd, data, sizeof data - 1, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            leave(fd);
        return;
    }
    data[got] = 0;
    if (!strncmp(data, "PUBLISH", 7)) {
        publisher = fd;
    } else if (strstr(data, "Upgrade: websocket")) {
        static const char switched[] =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
        send_all(fd, switched, sizeof switched - 1);
        send_frame(fd, "0{\"sid\":\"limit\",\"upgrades\":[],\"pingInterval\":3600000,\"pingTimeout\":3600000}");
    } else if (!strncmp(data, "GET ", 4)) {
        static const char greeting[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
                                       "event: connected\ndata: {}\n\n";
        send_all(fd, greeting, sizeof greeting - 1);
        join(fd, SSE);
    } else if (memmem(data, got, "420[", 4)) {
        send_frame(fd, "430[{\"ok\":true}]");
        join(fd, SOCKET_IO);
    } else if (memmem(data, got, "40", 2)) {
        send_frame(fd, "40{\"sid\":\"limit\"}");
    }
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
        fail("epoll_ctl");
}

int main(int count, char **arguments) {
    if (count != 2)
        return fputs("usage: limit PORT\n", stderr), 2;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < MOST ? files.rlim_max : MOST;
    setrlimit(RLIMIT_NOFILE, &files);
    for (int wire = 0; wire < WIRES; wire++)
        lanes[wire].buffer = malloc(ROOM);

    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024))
        fail("listen");
    poller = epoll_create1(0);
    watch(listener);

    struct epoll_event ready[256];
    long next = 0;
    for (;;) {
        int waits = -1;
        if (lanes[SSE].size) { /* both lanes have the same events */
            long left = next - now();
            if (left <= 0) {
                flush();
                next = now() + TICK_NS;
            } else {
                waits = left / 1000000 + 1;
            }
        }
        int found = epoll_wait(poller, ready, 256, waits);
        for (int n = 0; n < found; n++) {
            int fd = ready[n].data.fd;
            if (fd == listener) {
                int viewer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (viewer < 0 || viewer >= MOST)
                    fail("accept");
                setsockopt(viewer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                wire_of[viewer] = -1;
                watch(viewer);
            } else if (fd == publisher) {
                receive_events();
            } else {
                answer(fd);
            }
        }
    }
}
