using Sessions.CrashHost;

// Reads orders, one a line, and does them; each is told before it is begun and after it is done, so
// that whoever reads along knows what was acknowledged when this process is killed. Ends with its
// standard input, or with the first write that nobody reads.
using var host = new Host(args[0], new Tongue(Console.OpenStandardOutput()));
using var orders = new StreamReader(Console.OpenStandardInput());

while (orders.ReadLine() is { } line)
{
    host.Do(line.Split('\t'));
}
