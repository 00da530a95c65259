using System.Buffers.Text;
using Sessions.Json;
using Sessions.Model;

namespace Sessions.Jobs;

/// <summary>The arguments of a job: an object whose members are those that the plain call takes.</summary>
internal sealed class JobArguments
{
    private const string Argument = "args_json";

    private readonly Dictionary<string, JsonMember> _members = [];
    private readonly List<string> _asked = [];
    private readonly string _kind;

    public JobArguments(string kind, ReadOnlySpan<byte> json)
    {
        _kind = kind;
        Checks.AtMost(json.Length, Limits.JobArgumentsBytesMax, "job_arguments_bytes_max");
        foreach (JsonMember member in JsonMembers.Of(JsonArgument.Compact(json, Argument, isObject: true)))
        {
            _members[member.Name] = member;
        }
    }

    /// <summary>A text; null where it is null or absent.</summary>
    public string? OptionalText(string name)
    {
        _asked.Add(name);
        if (!_members.Remove(name, out JsonMember member) || member.IsNull)
        {
            return null;
        }

        string text = member.Value.Span[0] == '"' ? member.Text : throw Wrong(name, "a text");
        Checks.Bytes(text, Argument);
        return text;
    }

    /// <summary>A text that must be there.</summary>
    public string Text(string name) => OptionalText(name) is { Length: > 0 } text ? text : throw Wrong(name, "a text");

    /// <summary>The id of a session, which must be there.</summary>
    public string SessionId()
    {
        string id = OptionalText("session_id") ?? throw Wrong("session_id", "the id of a session");
        SessionIds.Require(id, "session_id");
        return id;
    }

    /// <summary>An integer from 0 on; 0 where it is absent.</summary>
    public long Number(string name, long max = Limits.IntegerMax)
    {
        _asked.Add(name);
        if (!_members.Remove(name, out JsonMember member))
        {
            return 0;
        }

        ReadOnlySpan<byte> text = member.Value.Span;
        return Utf8Parser.TryParse(text, out long value, out int used) && used == text.Length
            && value >= 0 && value <= max ? value : throw Wrong(name, $"an integer from 0 to {max}");
    }

    /// <summary>Flags; 0 where they are absent.</summary>
    public uint Flags(uint known)
    {
        uint flags = (uint)Number("flags", uint.MaxValue);
        Checks.Flags(flags, known);
        return flags;
    }

    /// <summary>An object, as it is; empty where it is absent.</summary>
    public ReadOnlyMemory<byte> OptionalObject(string name)
    {
        _asked.Add(name);
        return !_members.Remove(name, out JsonMember member) ? "{}"u8.ToArray()
            : member.IsObject ? member.Value : throw Wrong(name, "an object");
    }

    /// <summary>Refuses what nobody asked for.</summary>
    public void RequireNoMore()
    {
        foreach (string name in _members.Keys)
        {
            throw Errors.Word(Argument, name, [.. _asked]);
        }
    }

    private SessionException Wrong(string name, string what)
        => Errors.Argument(Argument, $"{name} of a job {_kind} must be {what}.");
}
