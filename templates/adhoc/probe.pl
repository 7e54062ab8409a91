# Whether hosts reach each other, asked on all of them at the same time.  Standard input, a line each:
#   me ADDRESS                  this host's among the members
#   peer NAME ADDRESS [held]    another host; held: corosync has its UDP port already, so nobody answers there
#   master NAME ADDRESS         who is to answer on the TCP port of Puppet's server, which may be this host
#   held udp|tcp                here that port is taken by who is to have it
# Everybody asks everybody until all have answered, and goes on answering until all say that they have all answers.
# Output: "udp NAME silent|heard reached|unreached", "tcp NAME refused|silent", "port udp|tcp ERROR", and "end".
use strict;
use warnings;
use Errno qw(EINPROGRESS ECONNREFUSED);
use IO::Handle;
use Socket qw(getaddrinfo getnameinfo AI_NUMERICHOST NI_NUMERICHOST SOCK_DGRAM SOCK_STREAM SOL_SOCKET SO_REUSEADDR SO_ERROR);

my ($udp_port, $tcp_port, $every, $within, $patience) = (5405, 8140, 0.2, 6, 1.5);
my (%held, %peers, $me, $master, $master_name);
my $mark = "sirikata-cluster-probe";

sub place {    # ADDRESS PORT: family and packed address
    my ($error, $found) = getaddrinfo($_[0], $_[1], { flags => AI_NUMERICHOST, socktype => SOCK_DGRAM });
    die "$_[0] is not an address: $error\n" if $error;
    return ($found->{family}, $found->{addr});
}
sub name { my ($error, $host) = getnameinfo($_[0], NI_NUMERICHOST); return $error ? "" : $host }
sub plain { return name((place($_[0], 1))[1]) }
sub now { open(my $file, "<", "/proc/uptime") or die "/proc/uptime: $!\n"; return (split(" ", <$file>))[0] }

while (my $line = <STDIN>) {
    my ($key, @rest) = split(" ", $line) or next;
    if ($key eq "me") { $me = plain($rest[0]) }
    elsif ($key eq "peer") { $peers{ plain($rest[1]) } = { name => $rest[0], held => $rest[2] } }
    elsif ($key eq "master") { ($master_name, $master) = ($rest[0], plain($rest[1])) }
    elsif ($key eq "held") { $held{ $rest[0] } = 1 }
}
die "which address is mine?\n" unless defined $me;

sub bound {    # TYPE PORT: a socket at my address, which never waits
    my ($family, $address) = place($me, $_[1]);
    socket(my $socket, $family, $_[0], 0) or die "socket: $!\n";
    setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1) if $_[0] == SOCK_STREAM;
    $socket->blocking(0);
    return $socket if bind($socket, $address);
    return;
}

my $udp = $held{udp} ? bound(SOCK_DGRAM, 0) : bound(SOCK_DGRAM, $udp_port);
if (!$udp) {
    print "port udp $!\n";
    $udp = bound(SOCK_DGRAM, 0) or die "$me: $!\n";
}
my $listening;
if (defined $master && $master eq $me && !$held{tcp}) {
    $listening = bound(SOCK_STREAM, $tcp_port);
    print "port tcp $!\n" unless $listening && listen($listening, 64);
}

# Connections that are being made: what they tell when they are, or are refused.
my @tries;
sub connecting {
    my ($address, $port, $tell) = @_;
    my ($family, $packed) = place($address, $port);
    socket(my $socket, $family, SOCK_STREAM, 0) or die "socket: $!\n";
    $socket->blocking(0);
    bind($socket, (place($me, 0))[1]);
    if (connect($socket, $packed)) { $tell->(0) }
    elsif ($! == EINPROGRESS) { push @tries, [$socket, $tell] }
    else { $tell->($! + 0) }
}

my ($begun, $asked, $tcp, $tcp_busy, $done) = (now(), 0, "silent", 0, 0);
$tcp = "answered" if !defined $master || $master eq $me;
while (1) {
    my $now = now();
    if ($now - $asked >= $every) {
        $asked = $now;
        $done = $tcp eq "answered" && !grep { !$_->{held} && !$_->{answered} } values %peers;
        my $over = $now - $begun >= $within || ($done && !grep { !$_->{done} } values %peers);
        for my $address (keys %peers) {
            my $to = (place($address, $udp_port))[1];
            # The last one may be lost, and a host that misses it waits to the end.
            send($udp, "$mark ask $done", 0, $to) for 1 .. ($over ? 3 : 1);
        }
        last if $over;
        if ($tcp ne "answered" && !$tcp_busy) {
            $tcp_busy = 1;
            connecting($master, $tcp_port, sub {
                $tcp_busy = 0;
                $tcp = !$_[0] ? "answered" : $_[0] == ECONNREFUSED ? "refused" : "silent";
            });
        }
        # Any answer of any port says that there is a way.
        for my $address ($now - $begun >= $patience ? keys %peers : ()) {
            my $peer = $peers{$address};
            next if $peer->{answered} || $peer->{held} || $peer->{tried}++;
            connecting($address, $_, sub { $peer->{reached} = 1 if !$_[0] || $_[0] == ECONNREFUSED }) for 22, $udp_port;
        }
    }
    my ($read, $write) = ("", "");
    vec($read, fileno($_), 1) = 1 for grep { $_ } $udp, $listening;
    vec($write, fileno($_->[0]), 1) = 1 for @tries;
    select($read, $write, undef, 0.05);
    while (defined(my $from = recv($udp, my $text, 100, 0))) {
        my $peer = $peers{ name($from) } or next;
        next unless $text =~ /^$mark (ask|answer) ?(1?)$/;
        $peer->{heard} = $peer->{reached} = 1;
        if ($1 eq "answer") { $peer->{answered} = 1; next }
        $peer->{done} = 1 if $2;
        send($udp, "$mark answer", 0, $from);
    }
    if ($listening) { while (accept(my $guest, $listening)) { close($guest) } }
    my @open = @tries;
    @tries = ();
    for my $try (@open) {
        if (!vec($write, fileno($try->[0]), 1)) { push @tries, $try; next }
        $try->[1]->(unpack("i", getsockopt($try->[0], SOL_SOCKET, SO_ERROR)));
    }
}

for my $peer (sort { $a->{name} cmp $b->{name} } values %peers) {
    next if $peer->{answered} || $peer->{held};
    print join(" ", "udp", $peer->{name}, $peer->{heard} ? "heard" : "silent", $peer->{reached} ? "reached" : "unreached"), "\n";
}
print "tcp $master_name $tcp\n" if $tcp ne "answered";
print "end\n";
