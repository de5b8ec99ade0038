# A client by faye-websocket; what it has to do is in ../run.mjs.
require 'eventmachine'
require 'faye/websocket'

$stdout.sync = true
url, protocols, *texts = ARGV
EM.run do
  socket = Faye::WebSocket::Client.new(url, protocols.split(','))
  socket.on(:message) do |event|
    puts "message #{event.data.bytesize} #{event.data[0, 200]}"
    socket.send(texts.shift) unless texts.empty?
  end
  socket.on(:error) { |event| puts "refused #{event.message}" }
  socket.on(:close) do |event|
    puts "close #{event.code} #{event.reason}"
    EM.stop
  end
end
