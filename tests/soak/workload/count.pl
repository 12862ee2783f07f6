# Counts and turns words around: regular expressions, hashes, sorting.
use strict;
use warnings;
my (%count, %length);
while (my $line = <>) {
    for my $word ($line =~ /([a-l]{2,}|\d+\.\d+|0x[0-9a-f]+)/g) {
        $count{$word}++;
        $length{ length $word } .= substr reverse($word), 0, 3;
    }
}
my @top = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
print "$_ $count{$_}\n" for @top[0 .. 30];
print "$_ ", unpack("%32C*", $length{$_}), "\n" for sort { $a <=> $b } keys %length;
