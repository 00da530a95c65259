namespace Sessions.Storage;

/// <summary>JSON merge patch (RFC 7396) on text: whatever the patch does not touch keeps its spelling.</summary>
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
        List<JsonMember> changes = JsonMembers.Of(patch);
        var last = new Dictionary<string, JsonMember>(changes.Count);
        foreach (JsonMember change in changes)
        {
            last[change.Name] = change; // of repeats the last one counts, as in RFC 8259 section 4
        }

        List<JsonMember> members = JsonMembers.Of(target);
        bool first = true;
        output.Byte('{');
        foreach (JsonMember member in members)
        {
            if (!last.TryGetValue(member.Name, out JsonMember change))
            {
                Write(member.RawName, member.Value, null);
            }
            else if (changes.Remove(change) && !change.IsNull)
            {
                // A name that stands more than once is patched at its first place, from the value that
                // counts, and the rest go.
                JsonMember counts = members.FindLast(m => m.Name == change.Name);
                Write(member.RawName, counts.IsObject ? counts.Value : EmptyObject, change.Value);
            }
        }

        foreach (JsonMember change in changes)
        {
            if (last[change.Name].Equals(change) && !change.IsNull)
            {
                Write(change.RawName, EmptyObject, change.Value);
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
}
