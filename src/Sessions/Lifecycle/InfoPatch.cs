using Sessions.Json;
using Sessions.Model;

namespace Sessions.Lifecycle;

/// <summary>What an update changes of a session's facts: a pure function from info to info.</summary>
internal sealed record InfoPatch
{
    private (ReadOnlyMemory<byte> Target, ReadOnlyMemory<byte> Merged) _metadataAhead;
    private (ReadOnlyMemory<byte> Target, ReadOnlyMemory<byte> Merged) _factsAhead;

    /// <summary>Null: left alone; "": back to the default.</summary>
    public string? Title { get; init; }

    public bool? Archived { get; init; }

    /// <summary>A compact object; empty: left alone.</summary>
    public ReadOnlyMemory<byte> Metadata { get; init; }

    public ReadOnlyMemory<byte> Facts { get; init; }

    public bool ClearsMetadata { get; init; }

    public bool ClearsFacts { get; init; }

    /// <summary>Reads the argument of an update.</summary>
    public static InfoPatch Read(ReadOnlySpan<byte> mergePatch)
    {
        const string argument = "merge_patch_json";
        byte[] compact = JsonArgument.Compact(mergePatch, argument, isObject: true);
        var patch = new InfoPatch();
        foreach (JsonMember m in JsonMembers.Of(compact))
        {
            patch = m.Name switch
            {
                "title" when m.IsNull => patch with { Title = "" },
                "title" when m.Value.Span[0] == '"' => patch with { Title = m.Text },
                "archived" when m.Value.Span[0] is (byte)'t' or (byte)'f' => patch with { Archived = m.Flag },
                "metadata" when m.IsNull => patch with { ClearsMetadata = true },
                "metadata" when m.IsObject => patch with { Metadata = m.Value },
                "facts" when m.IsNull => patch with { ClearsFacts = true },
                "facts" when m.IsObject => patch with { Facts = m.Value },
                "title" => throw Errors.Argument(argument, "title must be a string or null."),
                "archived" => throw Errors.Argument(argument, "archived must be true or false."),
                "metadata" or "facts" => throw Errors.Argument(argument, $"{m.Name} must be an object or null."),
                _ => throw Errors.Word(argument, m.Name, "title", "archived", "metadata", "facts"),
            };
        }

        if (patch.Title is { } title)
        {
            Checks.Title(title);
        }

        JsonArgument.RequirePairs(mergePatch, argument);
        return patch;
    }

    /// <summary>Merges into the info as it is now, before the store lock is taken. Under the lock the result is used if
    /// the info still has the same, else the merge is done again. Returns this.</summary>
    public InfoPatch MergeAhead(SessionInfo info)
    {
        _metadataAhead = Metadata.IsEmpty ? default : (info.Metadata, MergePatch.Apply(info.Metadata, Metadata));
        _factsAhead = Facts.IsEmpty ? default : (info.Facts, MergePatch.Apply(info.Facts, Facts));
        return this;
    }

    /// <summary>The patched info; the same object where nothing changes.</summary>
    public SessionInfo Apply(SessionInfo info)
    {
        SessionInfo patched = Title is { } title ? Retitle(info, title) : info;
        if (Archived is { } archived && archived != patched.Archived)
        {
            patched = patched with { Archived = archived };
        }

        ReadOnlyMemory<byte> metadata = Merge(patched.Metadata, Metadata, ClearsMetadata, _metadataAhead,
            "metadata_bytes_max");
        if (!metadata.Span.SequenceEqual(patched.Metadata.Span))
        {
            patched = patched with { Metadata = metadata };
        }

        ReadOnlyMemory<byte> facts = Merge(patched.Facts, Facts, ClearsFacts, _factsAhead, "facts_bytes_max");
        return facts.Span.SequenceEqual(patched.Facts.Span) ? patched : patched with { Facts = facts };
    }

    /// <summary>The info under a user's title; "" goes back to the default.</summary>
    public static SessionInfo Retitle(SessionInfo info, string title)
    {
        (string text, string source) = title.Length == 0 ? (SessionInfo.DefaultTitle, "default") : (title, "user");
        return info.Title == text && info.TitleSource == source
            ? info : info with { Title = text, TitleSource = source };
    }

    private static ReadOnlyMemory<byte> Merge(ReadOnlyMemory<byte> target, ReadOnlyMemory<byte> patch, bool clears,
        (ReadOnlyMemory<byte> Target, ReadOnlyMemory<byte> Merged) ahead, string limit)
    {
        if (clears)
        {
            return SessionInfo.EmptyObject;
        }

        if (patch.IsEmpty)
        {
            return target;
        }

        ReadOnlyMemory<byte> merged = !ahead.Merged.IsEmpty && ahead.Target.Equals(target)
            ? ahead.Merged : MergePatch.Apply(target, patch);
        Checks.AtMost(merged.Length, Limits.MetadataBytesMax, limit);
        return merged;
    }
}
