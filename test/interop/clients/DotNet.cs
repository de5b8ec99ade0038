using System;
using System.IO;
using System.Net.WebSockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

/// <summary>A client by .NET's ClientWebSocket; what it has to do is in ../run.mjs.</summary>
public static class DotNet {
    public static void Main(string[] args) {
        Run(args).Wait();
    }

    private static async Task Run(string[] args) {
        Console.SetOut(new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true });
        var socket = new ClientWebSocket();
        foreach (var protocol in args[1].Split(',')) socket.Options.AddSubProtocol(protocol);
        try {
            await socket.ConnectAsync(new Uri(args[0]), CancellationToken.None);
        } catch (WebSocketException error) {
            Console.WriteLine("refused " + error.Message + " " + error.InnerException?.Message);
            return;
        }
        var next = 2;
        var buffer = new ArraySegment<byte>(new byte[16384]);
        var message = new MemoryStream();
        while (true) {
            WebSocketReceiveResult part;
            try {
                part = await socket.ReceiveAsync(buffer, CancellationToken.None);
            } catch (WebSocketException error) {
                Console.WriteLine("close 1006 " + error.Message);
                return;
            }
            if (part.MessageType == WebSocketMessageType.Close) {
                Console.WriteLine("close " + (int)socket.CloseStatus + " " + socket.CloseStatusDescription);
                return;
            }
            message.Write(buffer.Array, 0, part.Count);
            if (!part.EndOfMessage) continue;
            var text = Encoding.UTF8.GetString(message.ToArray());
            Console.WriteLine("message " + message.Length + " " + text.Substring(0, Math.Min(200, text.Length)));
            message.SetLength(0);
            if (next == args.Length) continue;
            var bytes = new ArraySegment<byte>(Encoding.UTF8.GetBytes(args[next++]));
            await socket.SendAsync(bytes, WebSocketMessageType.Text, true, CancellationToken.None);
        }
    }
}
