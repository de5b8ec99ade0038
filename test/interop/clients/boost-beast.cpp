// A client by Boost.Beast; what it has to do is in ../run.mjs.
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <iostream>
#include <regex>

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::asio::ip::tcp;

int main(int count, char **arguments) {
  const std::string url = arguments[1];
  std::smatch parts;
  std::regex_match(url, parts, std::regex("ws://([^:/]+):([0-9]+)(/.*)"));
  boost::asio::io_context context;
  tcp::resolver resolver(context);
  websocket::stream<tcp::socket> socket(context);
  boost::asio::connect(socket.next_layer(), resolver.resolve(parts[1].str(), parts[2].str()));
  const std::string protocols = arguments[2];
  socket.set_option(websocket::stream_base::decorator(
      [&](websocket::request_type &request) { request.set("Sec-WebSocket-Protocol", protocols); }));
  websocket::response_type response;
  beast::error_code error;
  socket.handshake(response, parts[1].str() + ":" + parts[2].str(), parts[3].str(), error);
  if (error) {
    std::cout << "refused " << error.message() << std::endl;
    return 0;
  }
  int next = 3;
  for (;;) {
    beast::flat_buffer buffer;
    socket.read(buffer, error);
    if (error) {
      const auto &reason = socket.reason();
      std::cout << "close " << (error == websocket::error::closed ? reason.code : 1006) << " " << reason.reason << std::endl;
      return 0;
    }
    const std::string text = beast::buffers_to_string(buffer.data());
    std::cout << "message " << text.size() << " " << text.substr(0, 200) << std::endl;
    if (next < count) socket.write(boost::asio::buffer(std::string(arguments[next++])));
  }
}
