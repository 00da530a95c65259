using System.Text;
using Sessions.Platform;
using Sessions.Storage.Files;
using Sessions.Storage.Journal;

namespace Sessions.Storage.Recovery;

/// <summary>
/// Finds the id of a store whose store.json is damaged or gone: without it no frame of the journal can be told from
/// another store's. The headers of segments bear it. Those of before did not; then it most likely stands in the damaged
/// file still, perhaps with one letter wrong, and the checksums of the headers tell.
/// </summary>
internal static class LostStoreId
{
    private const int BytesSearched = 1024; // a store.json has 150
    private const int HeadersMax = 3; // one may be damaged too

    /// <summary>The id; null where none of the candidates fits the journal.</summary>
    public static string? Find(IDisk disk, byte[] damaged)
    {
        const string letters = "0123456789abcdef";
        List<byte[]> headers = NewestHeaders(disk);
        foreach (byte[] header in headers)
        {
            if (SegmentHeader.StoreIdOf(header) is { } id)
            {
                return id;
            }
        }

        string text = Encoding.Latin1.GetString(damaged.AsSpan(0, Math.Min(damaged.Length, BytesSearched)));
        for (int at = 0; headers.Count > 0 && at + StoreFile.IdLength <= text.Length; at++)
        {
            string found = text.Substring(at, StoreFile.IdLength);
            if (found.Count(c => letters.Contains(c, StringComparison.Ordinal)) < StoreFile.IdLength - 5)
            {
                continue;
            }

            found = "st_" + found[3..];
            for (int i = 3; i < found.Length; i++)
            {
                foreach (char letter in letters)
                {
                    string guess = found[..i] + letter + found[(i + 1)..];
                    uint seed = StoreFile.SeedOf(guess);
                    if (headers.Exists(h => SegmentHeader.TryRead(h, seed) is not null))
                    {
                        return guess;
                    }
                }
            }
        }

        return null;
    }

    private static List<byte[]> NewestHeaders(IDisk disk)
    {
        var headers = new List<byte[]>();
        List<long> segments = new JournalFiles(disk, 0, "salvage").Segments();
        for (int i = segments.Count - 1; i >= 0 && headers.Count < HeadersMax; i--)
        {
            byte[] page = new byte[SegmentHeader.Length];
            using IDiskFile file = disk.OpenOwn(Layout.Segment(segments[i]), OpenMode.Read);
            if (file.Read(page, 0) == page.Length)
            {
                headers.Add(page);
            }
        }

        return headers;
    }
}
