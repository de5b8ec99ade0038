import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;

/** A client by OkHttp, Android's; what it has to do is in ../run.mjs. */
public class JavaOkHttp extends WebSocketListener {
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private final Queue<String> texts;

    private JavaOkHttp(Queue<String> texts) {
        this.texts = texts;
    }

    public static void main(String[] args) {
        Request request = new Request.Builder()
            .url(args[0])
            .header("Sec-WebSocket-Protocol", args[1].replace(",", ", "))
            .build();
        Queue<String> texts = new ArrayDeque<>(Arrays.asList(args).subList(2, args.length));
        new OkHttpClient().newWebSocket(request, new JavaOkHttp(texts));
    }

    @Override
    public void onMessage(WebSocket socket, String text) {
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        OUT.println("message " + bytes + " " + text.substring(0, Math.min(200, text.length())));
        if (!texts.isEmpty()) socket.send(texts.remove());
    }

    @Override
    public void onClosing(WebSocket socket, int code, String reason) {
        OUT.println("close " + code + " " + reason);
        socket.close(1000, null);
        System.exit(0);
    }

    @Override
    public void onFailure(WebSocket socket, Throwable error, Response response) {
        OUT.println(response == null ? "close 1006 " + error : "refused " + response.code());
        System.exit(0);
    }
}
