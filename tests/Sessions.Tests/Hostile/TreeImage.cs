using System.Globalization;
using Sessions.Platform;

namespace Sessions.Tests.Hostile;

/// <summary>All that can be seen of the files under a folder, through no link: to tell whether any of it
/// changed.</summary>
internal sealed class TreeImage
{
    /// <summary>What lies deeper is not looked at.</summary>
    public const int PathLength = 2_000;

    private const int ContentBytes = 1 << 20; // of longer files, times and sizes tell enough

    private readonly SortedDictionary<string, string> _entries = new(StringComparer.Ordinal);

    private TreeImage()
    {
    }

    /// <summary>Takes it. What is under the left-out path, if any, is not looked at, nor are times of folders
    /// where only names and contents matter.</summary>
    public static TreeImage Of(string folder, string? leftOut = null)
    {
        var image = new TreeImage();
        image.Add(folder, leftOut);
        return image;
    }

    /// <summary>What is in one and not, or not so, in the other.</summary>
    public IEnumerable<string> Differences(TreeImage later)
    {
        foreach ((string path, string before) in _entries)
        {
            if (!later._entries.TryGetValue(path, out string? after))
            {
                yield return $"{path} is gone";
            }
            else if (before != after)
            {
                yield return $"{path} was {before}, is {after}";
            }
        }

        foreach ((string path, string after) in later._entries)
        {
            if (!_entries.ContainsKey(path))
            {
                yield return $"{path} is new: {after}";
            }
        }
    }

    private void Add(string path, string? leftOut)
    {
        Node node = SystemCalls.Look(path);
        string content = "";
        if (node.IsFile && node.Size <= ContentBytes)
        {
            content = Crc32C.Compute(File.ReadAllBytes(path)).ToString("x8", CultureInfo.InvariantCulture);
        }
        else if (node.IsLink)
        {
            content = new FileInfo(path).LinkTarget!;
        }

        // The number of links, and with it the time of change, says what was done to another name of the same file.
        string changed = node.Links > 1 && node.IsFile ? "" : $"{node.ChangedSeconds}.{node.ChangedNanoseconds:D9}";
        _entries[path] = string.Create(CultureInfo.InvariantCulture,
            $"{node.Mode:x4} of {node.User}, {node.Size} bytes, inode {node.Inode}, written {node.WrittenSeconds}.{
                node.WrittenNanoseconds:D9}, changed {changed} {content}");
        if (node.IsFolder)
        {
            foreach (string inner in Directory.GetFileSystemEntries(path)
                .Where(i => i != leftOut && i.Length < PathLength))
            {
                Add(inner, leftOut);
            }
        }
    }
}
