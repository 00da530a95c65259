using System.Text;
using Sessions.Json;
using Sessions.Model;

namespace Sessions.Storage.Rows;

/// <summary>
/// What a list asks of its sessions: the state, facts that have a name of their own here, other facts as
/// "facts":{…}, and metadata as "metadata":{…}. Each is a value, or an array of values of which one is to be there.
/// </summary>
internal sealed class ListFilter
{
    private const string Argument = "filter_json";

    private static readonly string[] States =
        ["created", "spawning", "active", "idle", "stopping", "stopped", "failed", "cleaning", "terminated"];

    // The facts that this library, or a later part of it, gives a meaning.
    private static readonly string[] Words =
    [
        "state", "agent_id", "type", "provider", "role", "workspace_id", "workspace_path", "channel", "facts",
        "metadata",
    ];

    private readonly List<JsonMember> _states = [];
    private readonly List<JsonMember> _facts = [];
    private readonly List<JsonMember> _metadata = [];

    private ListFilter(ReadOnlyMemory<byte> compact)
    {
        foreach (JsonMember m in JsonMembers.Of(compact))
        {
            switch (m.Name)
            {
                case "state": _states.Add(RequireStates(RequireValue(m))); break;
                case "facts": Add(_facts, m); break;
                case "metadata": Add(_metadata, m); break;
                default: _facts.Add(RequireValue(Array.IndexOf(Words, m.Name) >= 0 ? m
                    : throw Errors.Word(Argument, m.Name, Words))); break;
            }
        }
    }

    /// <summary>Reads the argument; null where there is none.</summary>
    public static ListFilter? Read(ReadOnlyMemory<byte>? json)
        => json is { } text ? new ListFilter(JsonArgument.Compact(text.Span, Argument, isObject: true)) : null;

    // Facts and metadata are read once, however many of them are asked for, and not for a state alone.
    public bool Matches(SessionInfo info)
        => (_states.Count == 0 || _states.TrueForAll(w => Matches(Encoding.UTF8.GetBytes($"\"{info.State}\""), w)))
            && Matches(info.Facts, _facts) && Matches(info.Metadata, _metadata);

    private static bool Matches(ReadOnlyMemory<byte> json, List<JsonMember> wanted)
    {
        if (wanted.Count == 0)
        {
            return true;
        }

        // Of repeats the last one counts.
        var members = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (JsonMember m in JsonMembers.Of(json))
        {
            members[m.Name] = m.Value;
        }

        return wanted.TrueForAll(w =>
            Matches(members.TryGetValue(w.Name, out ReadOnlyMemory<byte> value) ? value.Span : "null"u8, w));
    }

    private static bool Matches(ReadOnlySpan<byte> actual, JsonMember wanted)
    {
        if (wanted.Value.Span[0] != '[')
        {
            return actual.SequenceEqual(wanted.Value.Span);
        }

        foreach (ReadOnlyMemory<byte> item in JsonMembers.Items(wanted.Value))
        {
            if (actual.SequenceEqual(item.Span))
            {
                return true;
            }
        }

        return false;
    }

    private static void Add(List<JsonMember> to, JsonMember from)
    {
        foreach (JsonMember m in from.IsObject ? JsonMembers.Of(from.Value)
            : throw Errors.Argument(Argument, $"{from.Name} must be an object."))
        {
            to.Add(RequireValue(m));
        }
    }

    private static JsonMember RequireValue(JsonMember m) => !m.IsObject ? m
        : throw Errors.Argument(Argument, $"{m.Name} must be a value or an array of values, not an object.");

    private static JsonMember RequireStates(JsonMember m)
    {
        foreach (ReadOnlyMemory<byte> word in m.Value.Span[0] == '[' ? JsonMembers.Items(m.Value) : [m.Value])
        {
            string text = word.Span[0] == '"' ? new JsonMember("", default, word).Text
                : throw Errors.Argument(Argument, "state must be a word or an array of words.");
            if (Array.IndexOf(States, text) < 0)
            {
                throw Errors.Word(Argument, text, States);
            }
        }

        return m;
    }
}
