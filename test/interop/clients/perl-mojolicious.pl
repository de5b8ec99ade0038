# A client by Mojolicious; what it has to do is in ../run.mjs.
use Mojo::Base -strict, -signatures;
use Mojo::IOLoop;
use Mojo::UserAgent;
use Mojo::Util qw(decode encode);

$| = 1;
my ($url, $protocols, @texts) = map { decode 'UTF-8', $_ } @ARGV;
my $agent = Mojo::UserAgent->new(inactivity_timeout => 0);
$agent->websocket($url, [split /,/, $protocols] => sub ($agent, $tx) {
  unless ($tx->is_websocket) {
    say 'refused ', $tx->res->code // $tx->error->{message};
    return Mojo::IOLoop->stop;
  }
  $tx->max_websocket_size(16 * 2**20) unless $ENV{PXL_DEFAULTS};
  $tx->on(message => sub ($tx, $text) {
    say 'message ', length(encode('UTF-8', $text)), ' ', encode('UTF-8', substr $text, 0, 200);
    $tx->send(shift @texts) if @texts;
  });
  $tx->on(finish => sub ($tx, $code, $reason = '') {
    say "close $code ", encode('UTF-8', $reason // '');
    Mojo::IOLoop->stop;
  });
});
Mojo::IOLoop->start;
