namespace Sessions.Json;

/// <summary>JSON merge patch (RFC 7396) on text: whatever the patch does not touch keeps its spelling. Linear
/// in both at each level of nesting, however often a name stands in them.</summary>
internal static class MergePatch
{
    private static readonly byte[] EmptyObject = "{}"u8.ToArray();

    /// <summary>The patched target. Both are compact objects.</summary>
    public static byte[] Apply(ReadOnlyMemory<byte> target, ReadOnlyMemory<byte> patch)
    {
        var output = new Utf8Buffer(target.Length + patch.Length);
        Merge(target, patch, output);
        return output.ToArray();
    }

    private static void Merge(ReadOnlyMemory<byte> target, ReadOnlyMemory<byte> patch, Utf8Buffer output)
    {
        List<JsonMember> changes = JsonMembers.Of(patch), members = JsonMembers.Of(target);
        Dictionary<string, Patched> patched = Pair(changes, members);
        bool first = true;
        output.Byte('{');
        foreach (JsonMember member in members)
        {
            if (!patched.TryGetValue(member.Name, out Patched? pair))
            {
                Write(member.RawName, member.Value, null);
            }
            else if (!pair.IsDone)
            {
                // A name that stands more than once is patched at its first place, from the value that
                // counts, and the rest go.
                pair.IsDone = true;
                if (!changes[pair.Change].IsNull)
                {
                    JsonMember counts = members[pair.Member];
                    Write(member.RawName, counts.IsObject ? counts.Value : EmptyObject, changes[pair.Change].Value);
                }
            }
        }

        for (int i = 0; i < changes.Count; i++)
        {
            Patched pair = patched[changes[i].Name];
            if (!pair.IsDone && pair.Change == i && !changes[i].IsNull)
            {
                Write(changes[i].RawName, EmptyObject, changes[i].Value);
            }
        }

        output.Byte('}');

        void Write(ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> old, ReadOnlyMemory<byte>? change)
        {
            if (!first)
            {
                output.Byte(',');
            }

            first = false;
            output.Raw(name.Span).Byte(':');
            if (change is not { } value)
            {
                output.Raw(old.Span);
            }
            else if (value.Span[0] == '{')
            {
                Merge(old, value, output);
            }
            else
            {
                output.Raw(value.Span);
            }
        }
    }

    // By name, the change and the member that count: of repeats the last ones, as in RFC 8259 section 4.
    private static Dictionary<string, Patched> Pair(List<JsonMember> changes, List<JsonMember> members)
    {
        var patched = new Dictionary<string, Patched>(changes.Count, StringComparer.Ordinal);
        for (int i = 0; i < changes.Count; i++)
        {
            patched[changes[i].Name] = new Patched(i);
        }

        for (int i = 0; i < members.Count; i++)
        {
            if (patched.TryGetValue(members[i].Name, out Patched? pair))
            {
                pair.Member = i;
            }
        }

        return patched;
    }

    /// <param name="change">Its place among the patch's members.</param>
    private sealed class Patched(int change)
    {
        public int Change { get; } = change;

        /// <summary>Its place among the target's members; 0, and never read, where the target lacks it.</summary>
        public int Member { get; set; }

        /// <summary>True once it was written or removed at its first place.</summary>
        public bool IsDone { get; set; }
    }
}
