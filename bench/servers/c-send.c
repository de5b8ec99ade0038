/*
 * The limit of what any program can do with one system call per client and turn: send() of the turn's ready frames,
 * joined, to each client in the one room, in the library's envelope. Commands as in harness.js, of which it knows those
 * that `fan-out` gives.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_CLIENTS 10000
#define LINE 65536
#define PAYLOAD 200

static const char UPGRADED[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"; /* the load's clients have one key */

static int clients[MOST_CLIENTS];
static int count = 0;
static int server = -1, pace_server = -1, pace = -1;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int listen_at(int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || bind(fd, (void *)&address, size) || listen(fd, 511) || getsockname(fd, (void *)&address, &size))
    fail("listen");
  *port = ntohs(address.sin_port);
  return fd;
}

static int accept_from(int fd) {
  int one = 1, accepted = accept(fd, NULL, NULL);
  if (accepted < 0 || setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one)) fail("accept");
  return accepted;
}

static void send_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) fail("send");
    if (sent > 0) bytes += sent, length -= sent;
  }
}

/* Writes an unmasked text frame; returns its end. */
static char *frame(char *at, const char *text, size_t length) {
  *at++ = (char)0x81;
  if (length < 126) {
    *at++ = (char)length;
  } else {
    *at++ = 126;
    *at++ = (char)(length >> 8);
    *at++ = (char)length;
  }
  return (char *)memcpy(at, text, length) + length;
}

static void accept_client(void) {
  char head[4096], bytes[sizeof UPGRADED + 256];
  size_t length = 0;
  int fd = accept_from(server);
  do {
    ssize_t got = read(fd, head + length, sizeof head - 1 - length);
    if (got <= 0) fail("read");
    head[length += got] = 0;
  } while (!strstr(head, "\r\n\r\n"));
  memcpy(bytes, UPGRADED, sizeof UPGRADED - 1);
  char *end = frame(bytes + sizeof UPGRADED - 1, "{\"type\":\"welcome\"}", 18);
  send_all(fd, bytes, end - bytes);
  if (count == MOST_CLIENTS) exit(1);
  clients[count++] = fd;
}

static int number_in(const char *line, const char *name) {
  const char *at = strstr(line, name);
  return at ? atoi(at + strlen(name)) : 0;
}

/* The frames of one turn; returns their length. */
static size_t turn_frames(char *frames, const char *line, int messages) {
  char text[PAYLOAD + 64], *at = text, *end = frames;
  at += sprintf(at, "{\"type\":\"bench\",\"action\":\"message\",\"data\":\"");
  const char *name = strstr(line, "\"targets\":[\"") + strlen("\"targets\":[\"");
  size_t length = strcspn(name, "\"");
  memset(at, '.', PAYLOAD);
  memcpy(at, name, length);
  at[length] = ' ';
  at += PAYLOAD;
  at += sprintf(at, "\"}");
  for (int message = 0; message < messages; message++) end = frame(end, text, at - text);
  return end - frames;
}

static double seconds(struct timespec time) { return time.tv_sec + time.tv_nsec / 1e9; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return seconds(time);
}

static double cpu(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return seconds(time) * 1e6;
}

static void send_turn(const char *frames, size_t length) {
  for (int client = 0; client < count; client++) send_all(clients[client], frames, length);
}

static void await_arrival(void) {
  char byte;
  if (pace < 0) pace = accept_from(pace_server);
  if (read(pace, &byte, 1) != 1) fail("pace");
}

static void obey(const char *line) {
  static char frames[1 << 20];
  if (strstr(line, "\"command\":\"start\"")) {
    int port, pace_port;
    server = listen_at(&port);
    pace_server = listen_at(&pace_port);
    printf("{\"port\":%d,\"pacePort\":%d}\n", port, pace_port);
  } else if (strstr(line, "\"command\":\"send\"")) {
    send_turn(frames, turn_frames(frames, line, 1));
    printf("{}\n");
  } else if (strstr(line, "\"command\":\"turns\"")) {
    size_t length = turn_frames(frames, line, number_in(line, "\"messages\":"));
    double until = number_in(line, "\"milliseconds\":") / 1e3, start = now(), before = cpu(), elapsed;
    int turns = 0;
    do {
      send_turn(frames, length);
      await_arrival();
      turns++;
      elapsed = now() - start;
    } while (elapsed < until || turns < 2);
    printf("{\"turns\":%d,\"seconds\":%f,\"cpu\":%f}\n", turns, elapsed, cpu() - before);
  } else {
    fprintf(stderr, "c-send does not know %s\n", line);
    exit(1);
  }
  fflush(stdout);
}

int main(void) {
  static char line[LINE];
  size_t length = 0;
  for (;;) {
    struct pollfd waits[] = {{.fd = 0, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    if (poll(waits, 2, -1) < 0) fail("poll");
    if (waits[1].revents) accept_client();
    if (!waits[0].revents) continue;
    ssize_t got = read(0, line + length, sizeof line - 1 - length);
    if (got <= 0) return 0;
    line[length += got] = 0;
    if (line[length - 1] != '\n') continue;
    length = 0;
    obey(line);
  }
}
