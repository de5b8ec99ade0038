/* A client by libwebsockets; what it has to do is in ../run.mjs. */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char **texts;
static int left, finished, waits;
static char *message;
static size_t length;

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size) {
  (void)user;
  switch (reason) {
  case LWS_CALLBACK_CLIENT_RECEIVE: /* a part of at most 4,096 bytes, unless the protocol says otherwise */
    message = realloc(message, length + size + 1);
    memcpy(message + length, in, size);
    length += size;
    if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0) {
      printf("message %zu %.*s\n", length, length < 200 ? (int)length : 200, message);
      length = 0;
      if (left > 0) {
        waits = 1;
        lws_callback_on_writable(wsi);
      }
    }
    break;
  case LWS_CALLBACK_CLIENT_WRITEABLE:
    if (waits) {
      size_t bytes = strlen(*texts);
      unsigned char *frame = malloc(LWS_PRE + bytes);
      memcpy(frame + LWS_PRE, *texts, bytes);
      lws_write(wsi, frame + LWS_PRE, bytes, LWS_WRITE_TEXT);
      free(frame);
      waits = 0;
      texts++;
      left--;
    }
    break;
  case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: {
    unsigned char *close = in;
    printf("close %d %.*s\n", size < 2 ? 1005 : close[0] << 8 | close[1], size < 2 ? 0 : (int)size - 2, (char *)close + 2);
    finished = 1;
    break;
  }
  case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    printf("refused %s\n", in ? (char *)in : "without a word");
    finished = 1;
    break;
  case LWS_CALLBACK_CLIENT_CLOSED:
    if (!finished) printf("close 1006 \n");
    finished = 1;
    break;
  default:
    break;
  }
  return 0;
}

int main(int count, char **arguments) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  lws_set_log_level(LLL_ERR, NULL);
  const char *scheme, *host, *path;
  int port;
  char target[1024];
  if (count < 3 || lws_parse_uri(arguments[1], &scheme, &host, &port, &path)) return 2;
  snprintf(target, sizeof target, "/%s", path);
  texts = arguments + 3;
  left = count - 3;
  /* The first name has to be that of the protocol here; the offer may have more. */
  char *first = strdup(arguments[2]);
  first[strcspn(first, ",")] = 0;
  struct lws_protocols protocols[] = {{first, on_event, 0, 0, 0, NULL, 0}, {NULL, NULL, 0, 0, 0, NULL, 0}};
  struct lws_context_creation_info info = {0};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = protocols;
  struct lws_context *context = lws_create_context(&info);
  struct lws_client_connect_info connect = {0};
  connect.context = context;
  connect.address = host;
  connect.port = port;
  connect.path = target;
  connect.host = host;
  connect.origin = NULL;
  connect.protocol = arguments[2];
  connect.local_protocol_name = first;
  lws_client_connect_via_info(&connect);
  while (!finished) lws_service(context, 0);
  lws_context_destroy(context);
  return 0;
}
