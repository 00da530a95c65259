using System.Buffers.Binary;
using System.Text;
using Sessions.Model;
using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Journal;

/// <summary>The first 4,096 bytes of a segment. It carries the floors that keep LSNs and ids from
/// ever being used twice, and says where the segment before it ended.</summary>
internal sealed record SegmentHeader
{
    public const int Length = 4096;
    private const long Magic = 0x31304C4E524A5353; // "SSJRNL01"

    public required long Number { get; init; }

    /// <summary>Bytes of the file; equal to <see cref="Length"/> in a segment that closes a journal.</summary>
    public required long Size { get; init; }

    /// <summary>No frame in here has a lower LSN.</summary>
    public required long FirstLsn { get; init; }

    /// <summary>Where the segment before this one ended; 0 where there is none to read.</summary>
    public required long PreviousEnd { get; init; }

    /// <summary>The last LSN before this segment; LSNs may jump between the two.</summary>
    public required long PreviousLsn { get; init; }

    /// <summary>The oldest segment that a recovery may need.</summary>
    public required long FirstNeeded { get; init; }

    /// <summary>The last id given out: its milliseconds and its number within them.</summary>
    public required long IdMs { get; init; }
    public required long IdN { get; init; }

    /// <summary>In a segment that closes a journal after everything was brought to the files: the last LSN of
    /// which a watch had anything to tell, so that one which goes on behind it has missed nothing. Else 0.</summary>
    public long Told { get; init; }

    /// <summary>Where the id of the store stands, for a salvage that has to do without store.json.</summary>
    private const int StoreIdAt = 88;

    /// <summary>The id that a header of this store bears; null where it bears none, or is another's.</summary>
    public static string? StoreIdOf(ReadOnlySpan<byte> page)
    {
        string id = page.Length < Length ? "" : Encoding.Latin1.GetString(page.Slice(StoreIdAt, StoreFile.IdLength));
        return StoreFile.IsId(id) && TryRead(page, StoreFile.SeedOf(id)) is not null ? id : null;
    }

    public void Write(Span<byte> page, uint seed, string storeId = "")
    {
        page[..Length].Clear();
        Encoding.Latin1.GetBytes(storeId, page[StoreIdAt..]);
        Span<long> fields = [Magic, 0, Number, Size, FirstLsn, PreviousEnd, PreviousLsn, FirstNeeded, IdMs, IdN,
            Told];
        for (int i = 0; i < fields.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(page[(i * 8)..], fields[i]);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(page[8..], Crc32C.Compute(page[16..Length], seed));
    }

    /// <summary>Null where the bytes are not a header of this store, or one that says what cannot be.</summary>
    public static SegmentHeader? TryRead(ReadOnlySpan<byte> page, uint seed)
    {
        if (page.Length < Length || Field(page, 0) != Magic
            || BinaryPrimitives.ReadInt64LittleEndian(page[8..]) != Crc32C.Compute(page[16..Length], seed))
        {
            return null;
        }

        var header = new SegmentHeader
        {
            Number = Field(page, 2),
            Size = Field(page, 3),
            FirstLsn = Field(page, 4),
            PreviousEnd = Field(page, 5),
            PreviousLsn = Field(page, 6),
            FirstNeeded = Field(page, 7),
            IdMs = Field(page, 8),
            IdN = Field(page, 9),
            Told = Field(page, 10),
        };
        return header.IsPossible ? header : null;
    }

    private bool IsPossible => Number is > 0 and <= Layout.SegmentMax && Size is >= Length and <= Limits.IntegerMax
        && FirstLsn is > 0 and <= Plausible.LsnMax + 1 && PreviousLsn >= 0 && PreviousLsn < FirstLsn
        && (PreviousEnd == 0 || PreviousEnd is >= Length and <= Limits.IntegerMax)
        && FirstNeeded is > 0 && FirstNeeded <= Number && Plausible.AreIds(IdMs, IdN) && Told >= 0 && Told < FirstLsn;

    private static long Field(ReadOnlySpan<byte> page, int index)
        => BinaryPrimitives.ReadInt64LittleEndian(page[(index * 8)..]);
}
