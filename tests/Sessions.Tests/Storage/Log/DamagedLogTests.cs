using System.Buffers;
using System.Text;
using Sessions.Events.Pages;
using Sessions.Json;
using Sessions.Storage.Log;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Log;

/// <summary>Pages of logs of every kind, damaged in every way, against a reader too plain to be wrong.</summary>
public sealed class DamagedLogTests
{
    [Fact]
    public void Pages_of_random_logs_are_what_a_plain_reader_sees()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            (byte[] log, long last) = Make(random);
            try
            {
                Compare(log, last, random, 6);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}", e);
            }
        }
    }

    [Fact]
    public void Every_flipped_bit_of_a_log_costs_no_more_than_its_line()
    {
        var output = new Utf8Buffer();
        for (int i = 1; i <= 4; i++)
        {
            EventLine.Write(output, i, "note", 1, null, null, Stores.Utf8($"{{\"J\":\"*Jump {i}\"}}"));
        }

        byte[] log = output.ToArray();
        var whole = new NaiveLog(log, 4);
        for (int bit = 0; bit < log.Length * 8; bit++)
        {
            byte[] flipped = [.. log];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            var naive = new NaiveLog(flipped, 4);
            var left = naive.Events.Where(e => !e.Text.Contains("\"damaged\"", StringComparison.Ordinal)).ToList();
            Assert.True(left.Count >= (log[bit / 8] == '\n' ? 2 : 3), $"bit {bit}");
            Assert.Subset(whole.Events.ToHashSet(), left.ToHashSet());
            Compare(flipped, 4, new Random(bit), 1);
        }
    }

    [Fact]
    public void A_flipped_digit_of_a_number_does_not_lead_the_search_astray()
    {
        var output = new Utf8Buffer();
        for (int i = 1; i <= 2000; i++)
        {
            EventLine.Write(output, i, "note", 1, null, null, Stores.Utf8($"\"{new string('x', 50)}\""));
        }

        for (int line = 1; line < 2000; line += 97)
        {
            byte[] log = output.ToArray();
            int at = log.AsSpan().IndexOf(Stores.Utf8($"{{\"seq\":{line},"));
            log[at + 7] ^= 1 + 8; // another digit, mostly: a number far away
            Compare(log, 2000, new Random(line), 4);
        }
    }

    private static void Compare(byte[] bytes, long last, Random random, int pages)
    {
        var disk = new MemoryDisk();
        disk.Poke("events.jsonl", bytes);
        var naive = new NaiveLog(bytes, last);
        using LogView log = LogView.OpenFile(disk, "events.jsonl");
        for (int i = 0; i < pages; i++)
        {
            long first = random.Next(3) == 0 ? random.NextInt64(1, last + 2) : 1;
            var range = new SeqRange(first, random.Next(3) == 0 ? random.NextInt64(first - 1, last + 1) : last);
            long at = random.Next(4) == 0 ? 0 : random.NextInt64(last + 3);
            uint limit = (uint)random.Next(4) switch { 0 => 0, 1 => 1, uint n => n * n };
            var output = new Utf8Buffer();
            EventPage.WriteAfter(log, LogState.Plain, range, last, at, limit, output);
            naive.AssertAfter(Stores.Json(b => b.Write(output.Written)), range.First, range.Last, at, limit);
            output.Clear();
            EventPage.WriteLast(log, LogState.Plain, range, last, at, limit, output);
            naive.AssertLast(Stores.Json(b => b.Write(output.Written)), range.First, range.Last, at, limit);
        }
    }

    private static (byte[] Log, long LastSeq) Make(Random random)
    {
        var output = new Utf8Buffer();
        int count = random.Next(3) == 0 ? random.Next(4) : random.Next(600);
        int sizes = random.Next(4), damage = random.Next(3);
        long seq = 0;
        for (int i = 0; i < count; i++)
        {
            seq += random.Next(20) == 0 ? random.Next(1, 4) : 1;
            int length = sizes switch
            {
                0 => random.Next(30),
                1 => random.Next(6000),
                2 => random.Next(40) == 0 ? random.Next(200_000) : 20,
                _ => random.Next(60) == 0 ? random.Next(600_000) : random.Next(200),
            };
            int start = output.Length;
            EventLine.Write(output, seq, "note", seq, null, null, Stores.Utf8($"\"{new string('x', length)}\""));
            if (damage > 0 && random.Next(30) == 0)
            {
                Damage(output, start, random);
            }
        }

        // Lines that are in the file and not published yet.
        long last = seq;
        for (int i = random.Next(3); i > 0; i--)
        {
            EventLine.Write(output, ++seq, "note", seq, null, null, "1"u8);
        }

        if (random.Next(6) == 0 && output.Length > 0)
        {
            output.Truncate(output.Length - random.Next(Math.Min(output.Length, 40)));
        }

        return (output.ToArray(), last);
    }

    private static void Damage(Utf8Buffer output, int start, Random random)
    {
        Span<byte> line = output.Writable[start..];
        switch (random.Next(10))
        {
            case 6:
                output.Truncate(output.Length - 1);
                output.Raw("\r\n"u8);
                break;
            case 7:
                output.Raw(Encoding.UTF8.GetBytes("\uFEFF\n"));
                break;
            case 8:
                EventLine.Write(output, random.NextInt64(1L << 60), "note", 1, null, null, "2"u8);
                break;
            case 9:
                output.Raw(new byte[random.Next(70_000)]).Byte('\n');
                break;
            case 0:
                line[random.Next(line.Length)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                line[..^1].Clear();
                break;
            case 2:
                line[random.Next(line.Length)] = (byte)'\n';
                break;
            case 3:
                output.Raw("garbage\n\r\n\n"u8);
                break;
            case 4:
                output.Raw(output.Written[start..].ToArray()); // the same line twice
                break;
            default:
                output.Truncate(start + random.Next(line.Length)); // and the next one glued onto it
                break;
        }
    }
}
