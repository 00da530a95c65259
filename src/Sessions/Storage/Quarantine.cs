using System.Globalization;
using Sessions.Platform;

namespace Sessions.Storage;

/// <summary>What was kept aside: where it is, where it was, why.</summary>
internal sealed record QuarantineEntry(string? SessionId, string File, string Source, string Reason, long At);

/// <summary>
/// Keeps whatever cannot be read, byte for byte, in quarantine/&lt;n&gt;/, with a note beside it. The
/// copy is durable before anything happens to the original.
/// </summary>
internal sealed class Quarantine(IDisk disk, TimeProvider time, bool canWrite)
{
    private const string Note = "about.json";
    private readonly Lock _gate = new();
    private readonly Dictionary<(string, uint), string?> _kept = [];

    /// <summary>Keeps a copy; the same bytes of the same file once. Returns its path, or null where
    /// nothing may be written.</summary>
    public string? Keep(string source, string? sessionId, string reason, ReadOnlySpan<byte> content)
    {
        lock (_gate)
        {
            uint crc = Crc32C.Compute(content);
            if (_kept.TryGetValue((source, crc), out string? path))
            {
                return path;
            }

            LogRing.Add("warning", $"{source} is damaged ({reason}).");
            path = canWrite ? Find(source, content) ?? Write(source, sessionId, reason, content) : null;
            _kept.Add((source, crc), path);
            return path;
        }
    }

    /// <summary>Moves what stands at a path, and is no part of a store, out of the way as it is; links are not
    /// followed. Returns where it is now.</summary>
    public string PutAside(string source, string? sessionId)
    {
        lock (_gate)
        {
            LogRing.Add("warning", $"{source} does not belong there and was moved to {Layout.Quarantine}/.");
            string folder = MakeFolder();
            string file = folder + "/" + Layout.Name(source);
            disk.Rename(source, file);
            Describe(folder, file, source, sessionId, "misplaced");
            disk.SyncFolder(Layout.Parent(source));
            return file;
        }
    }

    /// <summary>Frees a name that a file of the store needs, and whose file is not needed any more: what is a file
    /// there is removed, anything else is moved aside.</summary>
    public void Vacate(string path)
    {
        switch (disk.Stat(path))
        {
            case null:
                break;
            case { IsFolder: false, IsOther: false }:
                disk.Unlink(path);
                break;
            default:
                PutAside(path, null);
                break;
        }
    }

    /// <summary>All that was ever kept.</summary>
    public List<QuarantineEntry> List()
    {
        var entries = new List<QuarantineEntry>();
        if (disk.Stat(Layout.Quarantine) is null)
        {
            return entries;
        }

        foreach (DiskName name in disk.List(Layout.Quarantine))
        {
            string note = $"{Layout.Quarantine}/{name.Name}/{Note}";
            if (!name.IsFolder || disk.Stat(note) is null || CheckedJson.Read(disk.ReadAll(note)) is not { } compact)
            {
                continue; // a copy whose note was lost is still kept, but there is nothing to say of it
            }

            if (TryRead(note, compact) is { } entry)
            {
                entries.Add(entry);
            }
        }

        entries.Sort((a, b) => string.CompareOrdinal(a.File, b.File));
        return entries;
    }

    private static QuarantineEntry? TryRead(string note, byte[] compact)
    {
        string? session = null, file = null, source = null, reason = null;
        long at = 0;
        try
        {
            foreach (JsonMember m in JsonMembers.Of(compact))
            {
                switch (m.Name)
                {
                    case "session_id": session = m.TextOrNull; break;
                    case "file": file = m.Text; break;
                    case "source": source = m.Text; break;
                    case "reason": reason = m.Text; break;
                    case "at": at = m.Number; break;
                    default: break; // a later version's notes
                }
            }
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            return null; // somebody wrote something else over it; the copy beside it is still kept
        }

        return new QuarantineEntry(session, file ?? note, source ?? "", reason ?? "unknown", at);
    }

    private string? Find(string source, ReadOnlySpan<byte> content)
    {
        foreach (QuarantineEntry entry in List())
        {
            if (entry.Source == source && disk.Stat(entry.File) is { } stat && stat.Length == content.Length
                && content.SequenceEqual(disk.ReadAll(entry.File)))
            {
                return entry.File;
            }
        }

        return null;
    }

    private string Write(string source, string? sessionId, string reason, ReadOnlySpan<byte> content)
    {
        string folder = MakeFolder();
        string file = folder + "/" + Layout.Name(source);
        disk.WriteAll(file, content);
        Describe(folder, file, source, sessionId, reason);
        return file;
    }

    // Under a number of its own.
    private string MakeFolder()
    {
        disk.CreateFolder(Layout.Quarantine);
        long number = 1;
        foreach (DiskName name in disk.List(Layout.Quarantine))
        {
            if (long.TryParse(name.Name, NumberStyles.None, CultureInfo.InvariantCulture, out long taken))
            {
                number = Math.Max(number, taken + 1);
            }
        }

        string folder = string.Create(CultureInfo.InvariantCulture, $"{Layout.Quarantine}/{number}");
        disk.CreateFolder(folder);
        return folder;
    }

    private void Describe(string folder, string file, string source, string? sessionId, string reason)
    {
        var note = new Utf8Buffer();
        note.Byte('{').Member("session_id", sessionId).Member("file", file).Member("source", source)
            .Member("reason", reason).Member("at", time.GetUtcNow().ToUnixTimeMilliseconds()).Byte('}');
        var text = new Utf8Buffer();
        CheckedJson.Write(note.Written, text);
        disk.WriteAll(folder + "/" + Note, text.Written);
        disk.SyncFolder(folder);
        disk.SyncFolder(Layout.Quarantine);
        disk.SyncFolder("");
    }
}
