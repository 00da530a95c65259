using Sessions.Json;

namespace Sessions.Rules;

/// <summary>The rules of a config.json as far as each is one. A rule that no call would have taken is damage of that
/// rule: its default holds and the others stay as they are.</summary>
internal static class SoundConfig
{
    private enum Level
    {
        Store,
        Workspaces,
        Workspace,
        Queue,
        Limits,
    }

    /// <summary>The same object, without the rules that are damaged; each is told by its path, as in
    /// `queue.delay_ms`.</summary>
    public static byte[] Of(byte[] stored, Action<string> onDamaged)
    {
        if (stored.Length == 0)
        {
            return stored;
        }

        var b = new Utf8Buffer(stored.Length);
        bool isWhole = Keep(stored, Level.Store, "", b, onDamaged);
        return isWhole ? stored : b.ToArray();
    }

    /// <summary>The same, and a note of each damaged one in the process's log.</summary>
    public static byte[] Noted(byte[] stored) => Of(stored, static path => LogRing.Add("warning",
        $"{StoreConfig.FileName}: the rule {path} is damaged; its default holds."));

    // False where something was left out.
    private static bool Keep(ReadOnlyMemory<byte> rules, Level level, string within, Utf8Buffer b,
        Action<string> onDamaged)
    {
        bool isWhole = true, isFirst = true;
        b.Byte('{');
        foreach (JsonMember m in JsonMembers.Of(rules))
        {
            Level? inner = InnerOf(level, m.Name);
            if (m.IsNull && level != Level.Workspaces)
            {
                isWhole = false; // says no more than that the default holds
                continue;
            }

            if (inner is null ? !IsSound(level, m) : !m.IsObject)
            {
                isWhole = false;
                onDamaged(within + m.Name);
                continue;
            }

            b.Raw(isFirst ? ""u8 : ","u8).Raw(m.RawName.Span).Byte(':');
            isFirst = false;
            if (inner is { } next)
            {
                isWhole &= Keep(m.Value, next, within + m.Name + ".", b, onDamaged);
            }
            else
            {
                b.Raw(m.Value.Span);
            }
        }

        b.Byte('}');
        return isWhole;
    }

    private static Level? InnerOf(Level level, string name) => (level, name) switch
    {
        (Level.Store, "queue") or (Level.Workspace, "queue") => Level.Queue,
        (Level.Store, "limits") => Level.Limits,
        (Level.Store, "workspaces") => Level.Workspaces,
        (Level.Workspaces, _) => Level.Workspace,
        _ => null,
    };

    // What has another name is a later version's, and nobody here goes by it.
    private static bool IsSound(Level level, JsonMember m) => (level, m.Name) switch
    {
        (Level.Store or Level.Workspace, "strict_lock" or "unique_roles") => StoreConfig.IsFlag(m),
        (Level.Queue, "enabled" or "auto_generate_titles") => StoreConfig.IsFlag(m),
        (Level.Queue, "delay_ms") => StoreConfig.IsNumber(m, StoreConfig.DelayMs),
        (Level.Queue, "max_size") => StoreConfig.IsNumber(m, StoreConfig.SizeMax),
        (Level.Limits, "image_bytes_max" or "file_bytes_max") => StoreConfig.IsNumber(m, StoreConfig.FileBytes),
        _ => true,
    };
}
