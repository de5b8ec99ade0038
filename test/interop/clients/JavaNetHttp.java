import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;

/** A client by java.net.http; what it has to do is in ../run.mjs. */
public class JavaNetHttp implements WebSocket.Listener {
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private final StringBuilder message = new StringBuilder();
    private final Queue<String> texts;
    private final CountDownLatch end = new CountDownLatch(1);

    private JavaNetHttp(Queue<String> texts) {
        this.texts = texts;
    }

    public static void main(String[] args) throws InterruptedException {
        JavaNetHttp client = new JavaNetHttp(new ArrayDeque<>(Arrays.asList(args).subList(2, args.length)));
        String[] protocols = args[1].split(",");
        WebSocket.Builder builder = HttpClient.newHttpClient().newWebSocketBuilder();
        builder.subprotocols(protocols[0], Arrays.copyOfRange(protocols, 1, protocols.length));
        try {
            builder.buildAsync(URI.create(args[0]), client).join();
        } catch (CompletionException error) {
            boolean isRefused = error.getCause() instanceof WebSocketHandshakeException;
            OUT.println("refused " + (isRefused
                ? ((WebSocketHandshakeException) error.getCause()).getResponse().statusCode()
                : error.getCause()));
            return;
        }
        client.end.await();
        System.exit(0);
    }

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean isLast) {
        message.append(part);
        if (isLast) {
            String text = message.toString();
            message.setLength(0);
            int bytes = text.getBytes(StandardCharsets.UTF_8).length;
            OUT.println("message " + bytes + " " + text.substring(0, Math.min(200, text.length())));
            if (!texts.isEmpty()) socket.sendText(texts.remove(), true);
        }
        socket.request(1); // without it nothing more comes, not even the close
        return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
        OUT.println("close " + code + " " + reason);
        end.countDown();
        return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
        OUT.println("close 1006 " + error);
        end.countDown();
    }
}
