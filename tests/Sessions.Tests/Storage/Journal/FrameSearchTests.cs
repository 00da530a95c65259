using System.Buffers.Binary;
using System.Text;
using Sessions.Json;
using Sessions.Platform;
using Sessions.Storage.Journal;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Storage.Journal;

/// <summary>Behind damage it finds each whole frame, and is not kept busy by what only looks like some.</summary>
public sealed class FrameSearchTests
{
    private const uint Seed = 77;

    private readonly CountingDisk _disk;
    private readonly MemoryDisk _memory = new();

    public FrameSearchTests()
    {
        _disk = new CountingDisk(_memory);
        _memory.CreateFolder("");
    }

    [Fact]
    public void It_finds_what_a_look_at_each_place_finds()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var bytes = new List<byte>(new byte[8]);
            var expected = new List<long>();
            for (int i = 1; i <= 6; i++)
            {
                bytes.AddRange(random.Next(3) switch
                {
                    0 => new byte[8 * random.Next(1, 20_000)],
                    1 => Garbage(random, 8 * random.Next(1, 100)),
                    _ => [],
                });
                byte[] frame = Frame(i, random.Next(20) == 0 ? 300_000 : random.Next(200));
                if (random.Next(4) == 0)
                {
                    frame[^9] ^= 1;
                }
                else
                {
                    expected.Add(i);
                }

                bytes.AddRange(frame);
            }

            _memory.Poke("segment", bytes.ToArray());
            using IDiskFile file = _disk.Open("segment", OpenMode.Read);
            var search = new FrameSearch(file, Seed, 8, file.Length);
            var found = new List<long>();
            while (search.Next() is { } payload)
            {
                Assert.NotNull(ChangeCodec.TryRead(search.Lsn, payload));
                found.Add(search.Lsn);
            }

            Assert.True(expected.SequenceEqual(found), $"seed {seed}");
            Assert.Equal(expected.Count > 0 ? expected[^1] - 1 : 0, search.Synced);
            Assert.False(search.IsOverfull);
        }
    }

    // Each beginning said to reach to the end, and each was held against its checksum: hours for one segment.
    [Fact]
    public void Beginnings_that_overlap_are_given_up_after_as_many_as_could_stand_side_by_side()
    {
        const int length = 4 << 20;
        byte[] bytes = new byte[length];
        bytes.AsSpan().Fill((byte)'x');
        for (int at = 0; at + FrameFormat.HeaderLength < length; at += FrameFormat.HeaderLength)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at + 4), length - at - FrameFormat.HeaderLength);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 8), 5);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 16), 4);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 24), FrameFormat.TypeChanges);
        }

        _memory.Poke("segment", bytes);
        using IDiskFile file = _disk.Open("segment", OpenMode.Read);
        _disk.Reset();
        var search = new FrameSearch(file, Seed, 0, length);
        Assert.Null(search.Next());
        Assert.True(search.IsOverfull);
        Assert.InRange(_disk.BytesRead, 0, 8L * length);
    }

    [Fact]
    public void Whole_frames_that_nobody_can_read_are_given_up_after_some()
    {
        var bytes = new List<byte>();
        for (int i = 1; i <= 1000; i++)
        {
            bytes.AddRange(Sealed(i, "{\"nothing\":"u8.ToArray()));
        }

        _memory.Poke("segment", bytes.ToArray());
        using IDiskFile file = _disk.Open("segment", OpenMode.Read);
        var search = new FrameSearch(file, Seed, 0, file.Length);
        int found = 0;
        while (search.Next() is not null && search.TryPassUnknown())
        {
            found++;
        }

        Assert.InRange(found, 100, 500);
        Assert.True(search.IsOverfull);
    }

    // A length near 2^31 made the reader's sums negative, and then an array of two gigabytes.
    [Fact]
    public void A_length_beyond_every_array_is_no_frame_and_one_that_is_not_there_makes_no_room()
    {
        foreach (int payload in (int[])[int.MaxValue, int.MaxValue - 8, int.MaxValue - 32, 1 << 30])
        {
            byte[] header = new byte[FrameFormat.HeaderLength];
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), payload);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(8), 5);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), FrameFormat.TypeChanges);
            _memory.Poke("segment", header);
            using IDiskFile file = _disk.Open("segment", OpenMode.Read);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Null(new SegmentReader(file, Seed, 0, 1L << 40).Next());
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        }
    }

    [Fact]
    public void A_large_frame_is_read_as_ever_and_told_from_a_damaged_one()
    {
        byte[] frame = Frame(3, 9 << 20);
        _memory.Poke("segment", frame);
        using (IDiskFile file = _disk.Open("segment", OpenMode.Read))
        {
            Assert.Equal(3, new SegmentReader(file, Seed, 0, frame.Length).Next()!.Lsn);
        }

        frame[8 << 20] ^= 1;
        _memory.Poke("segment", frame);
        using IDiskFile damaged = _disk.Open("segment", OpenMode.Read);
        Assert.Null(new SegmentReader(damaged, Seed, 0, frame.Length).Next());
    }

    private static byte[] Garbage(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Frame(long lsn, int text) => Sealed(lsn, Encoding.UTF8.GetBytes(
        "{\"at\":1,\"by\":{},\"changes\":[{\"config\":{\"a\":\"" + new string('y', text) + "\"}}]}"));

    private static byte[] Sealed(long lsn, byte[] payload)
    {
        var b = new Utf8Buffer();
        b.Zeros(FrameFormat.HeaderLength).Raw(payload);
        FrameFormat.Close(b, 0, lsn, lsn - 1, Seed);
        return b.ToArray();
    }
}
