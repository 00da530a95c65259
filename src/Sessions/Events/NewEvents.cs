using System.Buffers;
using Sessions.Events.Schema;
using Sessions.Json;
using Sessions.Model;

namespace Sessions.Events;

/// <summary>Checks events as hosts hand them in, and writes the answer to a batch.</summary>
internal static class NewEvents
{
    public static NewEvent One(string type, ReadOnlySpan<byte> data, in AppendOptions options)
    {
        ArgumentNullException.ThrowIfNull(type);
        Checks.Name(type, "type");
        Checks.Name(options.TurnId, "turn_id");
        Checks.Name(options.Id, "id");
        Checks.Number(options.Timestamp, "timestamp");
        byte[] compact = JsonArgument.Compact(data, "data_json", isObject: false);
        Checks.AtMost(compact.Length, Limits.EventBytesMax, "event_bytes_max");
        if (options.Flags.HasFlag(AppendFlags.Check) && SchemaCheck.Find(type, compact) is { } misfit)
        {
            throw misfit.Failure("data_json", type, null);
        }

        return new NewEvent(type, compact, options.Timestamp, options.TurnId, options.Id);
    }

    /// <summary>Reads an array of {"type","data"} with "timestamp", "turn_id" and "id" where wanted;
    /// where <paramref name="check"/>, the data of known types must fit.</summary>
    public static List<NewEvent> Read(ReadOnlySpan<byte> json, bool check)
    {
        const string argument = "events_json";
        byte[] compact = JsonArgument.Compact(json, argument, isObject: false);
        var events = new List<NewEvent>();
        if (compact[0] != '[')
        {
            throw Errors.Argument(argument, "events_json must be an array.");
        }

        foreach (ReadOnlyMemory<byte> item in JsonMembers.Items(compact))
        {
            if (item.Span[0] != '{')
            {
                throw Errors.Argument(argument, "Each event must be an object.");
            }

            string? type = null, turn = null, id = null;
            long timestamp = 0;
            ReadOnlyMemory<byte> data = default;
            foreach (JsonMember m in JsonMembers.Of(item))
            {
                switch (m.Name)
                {
                    case "type": type = Text(m); break;
                    case "turn_id": turn = m.IsNull ? null : Text(m); break;
                    case "id": id = m.IsNull ? null : Text(m); break;
                    case "timestamp": timestamp = m.IsNull ? 0 : Time(m); break;
                    case "data": data = m.Value; break;
                    default: throw Errors.Word(argument, m.Name,
                        "type", "data", "timestamp", "turn_id", "id");
                }
            }

            if (type is null || data.IsEmpty)
            {
                throw Errors.Argument(argument, "Each event must have a type and data.");
            }

            Checks.Name(type, "type");
            Checks.Name(turn, "turn_id");
            Checks.Name(id, "id");
            Checks.AtMost(data.Length, Limits.EventBytesMax, "event_bytes_max");
            if (check && SchemaCheck.Find(type, data.Span) is { } misfit)
            {
                throw misfit.Failure(argument, type, events.Count);
            }

            events.Add(new NewEvent(type, data, timestamp, turn, id));
        }

        return events;
    }

    public static void WriteAnswer(AppendRequest request, IBufferWriter<byte> output)
    {
        long first = 0, last = 0;
        for (int i = 0, repeats = 0; i < request.Seqs.Length; i++)
        {
            if (repeats < request.Duplicates.Count && request.Duplicates[repeats] == i) // these ascend
            {
                repeats++;
            }
            else
            {
                first = first == 0 ? request.Seqs[i] : first;
                last = request.Seqs[i];
            }
        }

        var b = new Utf8Buffer(64 + (request.Seqs.Length * 8));
        b.Byte('{').TimeMember("first_seq", first).TimeMember("last_seq", last).Raw(",\"seqs\":["u8);
        for (int i = 0; i < request.Seqs.Length; i++)
        {
            b.Raw(i == 0 ? ""u8 : ","u8).Number(request.Seqs[i]);
        }

        b.Raw("],\"duplicates\":["u8);
        for (int i = 0; i < request.Duplicates.Count; i++)
        {
            b.Raw(i == 0 ? ""u8 : ","u8).Number(request.Duplicates[i]);
        }

        output.Write(b.Raw("]}"u8).Written);
    }

    private static string Text(JsonMember m) => m.Value.Span[0] == '"' ? m.Text
        : throw Errors.Argument("events_json", $"{m.Name} must be a string.");

    private static long Time(JsonMember m)
    {
        if (System.Buffers.Text.Utf8Parser.TryParse(m.Value.Span, out long value, out int used)
            && used == m.Value.Length)
        {
            Checks.Number(value, "timestamp");
            return value;
        }

        throw Errors.Argument("events_json", "timestamp must be an integer.");
    }
}
