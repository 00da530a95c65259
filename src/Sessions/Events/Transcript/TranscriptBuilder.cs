using Sessions.Json;
using Sessions.Storage.Log;

namespace Sessions.Events.Transcript;

/// <summary>
/// Makes messages of events, one event at a time, in the order of their numbers. What it made of the
/// earlier ones stays, so that going on costs only what is new.
/// </summary>
internal sealed class TranscriptBuilder
{
    private readonly KeyTable<Message> _turns = new();
    private readonly CallBook _tools = new();
    private readonly CallBook _questions = new();
    private readonly Arena _arena = new();

    // The assistant's message of the turn that events without a turn belong to; null before its first part.
    private Message? _current;

    // The name of that turn; not set where it has none.
    private Chunk _currentTurn;

    public List<Message> Messages { get; } = [];

    /// <summary>The number up to which events were taken.</summary>
    public long LastSeq { get; set; }

    /// <summary>The number of the last event that was whole.</summary>
    public long LastWholeSeq { get; private set; }

    /// <summary>How many events it took: what tests look at.</summary>
    public long Events { get; private set; }

    /// <summary>Bytes that are kept, loosely.</summary>
    public long Bytes => _arena.Bytes + (Messages.Count * 160L) + (Events * 100);

    /// <summary>Takes the next event.</summary>
    public void Add(in EventSlice e)
    {
        Events++;
        LastSeq = e.Seq;
        if (e.Damage is { } damage)
        {
            AddDamage(e, damage);
            return;
        }

        LastWholeSeq = e.Seq;
        switch (EventTypes.Of(e.Type))
        {
            case EventKind.Prompt: AddPrompt(e); break;
            case EventKind.Message: AddText(e, PartKind.Text); break;
            case EventKind.Thought: AddText(e, PartKind.Reasoning); break;
            case EventKind.ToolCall: AddTool(e, isCall: true); break;
            case EventKind.ToolUpdate: AddTool(e, isCall: false); break;
            case EventKind.Permission: AddPermission(e); break;
            case EventKind.Plan: AddPlan(e); break;
            case EventKind.Error: AddError(e); break;
            case EventKind.Usage: Note(e, stopReason: default, e.Data); break;
            case EventKind.TurnEnd: EndTurn(e); break;
            case EventKind.Silent: break;
            default: AddData(e, e.Type, e.Data); break;
        }
    }

    /// <summary>Notes that an event is passed over; it is still known to have been there.</summary>
    public void Skip(long seq, bool isWhole)
    {
        LastSeq = seq;
        LastWholeSeq = isWhole ? seq : LastWholeSeq;
    }

    private void AddPrompt(in EventSlice e)
    {
        Chunk turn = e.TurnId.IsEmpty ? default : _arena.Add(e.TurnId);
        var message = new Message(Role.User, e.Seq, e.Timestamp, turn);
        Messages.Add(message);
        EndUnnamed();

        // What comes next belongs to the turn that the prompt begins, or goes on with one that it names.
        _currentTurn = turn;
        _current = turn.IsSet ? _turns.Find(e.TurnId) : null;

        Prompt.Read(message, e, _arena);
    }

    private void AddText(in EventSlice e, PartKind kind)
    {
        if (!TextOf(e.Data, out ReadOnlySpan<byte> text, out bool isInterrupted))
        {
            AddData(e, e.Type, e.Data);
            return;
        }

        Message message = MessageOf(e);
        Part? last = message.Parts.Count > 0 ? message.Parts[^1] : null;
        if (last is null || last.Kind != kind || last.IsInterrupted)
        {
            last = new Part(kind, message, e.Seq);
            message.Parts.Add(last);
        }

        last.Text.Add(_arena, text);
        last.IsInterrupted = isInterrupted;
        last.Touch(e.Seq);
    }

    private void AddTool(in EventSlice e, bool isCall)
    {
        ReadOnlySpan<byte> id = default;
        long seq = 0;
        var members = new MemberScan(e.Data);
        while (members.Next())
        {
            if (members.Name.SequenceEqual("tool_call_id"u8))
            {
                id = members.IsText ? members.RawText : default;
            }
            else if (members.Name.SequenceEqual("call_seq"u8))
            {
                seq = CallSeq.Read(members.Value);
            }
        }

        if (id.IsEmpty)
        {
            AddData(e, e.Type, e.Data);
            return;
        }

        ReadOnlySpan<byte> turnKey = Unescape.Utf8(e.TurnId), key = Unescape.Utf8(id);
        var tool = (ToolCall?)_tools.Find(turnKey, key, seq, isCall);
        if (tool is null)
        {
            Message message = MessageOf(e);
            tool = new ToolCall(e.Seq) { Id = _arena.Add(id) };
            tool.Part = new Part(PartKind.Tool, message, e.Seq) { Tool = tool };
            message.Parts.Add(tool.Part);
            message.MayRepeatCallIds |= _tools.Add(tool, turnKey, key);
        }

        tool.Update(_arena, e.Data);
        tool.Part!.Touch(e.Seq);
    }

    // Who asks again under an id that was answered, or in another turn, asks another question.
    private void AddPermission(in EventSlice e)
    {
        ReadOnlySpan<byte> id = default, outcome = default;
        var members = new MemberScan(e.Data);
        while (members.Next())
        {
            id = members.Name.SequenceEqual("request_id"u8) ? members.Value : id;
            outcome = members.Name.SequenceEqual("outcome"u8) ? members.Value : outcome;
        }

        bool asks = outcome.IsEmpty || outcome.SequenceEqual("null"u8);
        ReadOnlySpan<byte> turnKey = Unescape.Utf8(e.TurnId), key = Unescape.Utf8(id);
        if (!id.IsEmpty && (Question?)_questions.Find(turnKey, key, 0, asks) is { } known)
        {
            known.Part.Data = _arena.Add(e.Data);
            known.Part.Touch(e.Seq);
            known.IsOpen &= asks;
            return;
        }

        Part added = AddData(e, e.Type, e.Data);
        added.Question = added.Data;
        if (!id.IsEmpty)
        {
            _questions.Add(new Question(added) { IsOpen = asks }, turnKey, key);
        }
    }

    // A plan is sent whole each time, so a turn shows the last one, where the first one stood.
    private void AddPlan(in EventSlice e)
    {
        foreach (Part part in TurnOf(e)?.Parts ?? [])
        {
            if (part.Kind == PartKind.Data && part.Type.Span.SequenceEqual(e.Type))
            {
                part.Data = _arena.Add(e.Data);
                part.Touch(e.Seq);
                return;
            }
        }

        AddData(e, e.Type, e.Data);
    }

    private void AddError(in EventSlice e)
    {
        Chunk turn = !e.TurnId.IsEmpty ? _arena.Add(e.TurnId) : _currentTurn;
        var message = new Message(Role.Error, e.Seq, e.Timestamp, turn);
        message.Parts.Add(new Part(PartKind.Data, message, e.Seq)
        {
            Type = _arena.Add(e.Type),
            Data = _arena.Add(e.Data),
        });
        Messages.Add(message);
    }

    private void AddDamage(in EventSlice e, Piece damage)
    {
        var data = new Utf8Buffer(96);
        data.Byte('{').Member("seq", e.Seq).Member("file", e.File)
            .Member("offset", e.File is null ? default(long?) : damage.Offset).Member("length", damage.Length)
            .Member("reason", damage.Reason).Byte('}');
        AddData(e, "damaged"u8, data.Written);
    }

    private Part AddData(in EventSlice e, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Message message = MessageOf(e);
        var part = new Part(PartKind.Data, message, e.Seq) { Type = _arena.Add(type), Data = _arena.Add(data) };
        message.Parts.Add(part);
        part.Touch(e.Seq);
        return part;
    }

    private void EndTurn(in EventSlice e)
    {
        ReadOnlySpan<byte> reason = Member(e.Data, "stop_reason"u8);
        Note(e, reason is [(byte)'"', ..] ? reason[1..^1] : default, usage: default);
        if (e.TurnId.IsEmpty || e.TurnId.SequenceEqual(_currentTurn.Span))
        {
            (_current, _currentTurn) = (null, default);
        }

        EndUnnamed();
    }

    private void EndUnnamed()
    {
        _tools.EndUnnamed();
        _questions.EndUnnamed();
    }

    // Something that is said of a turn and shown with its message, where it has one.
    private void Note(in EventSlice e, ReadOnlySpan<byte> stopReason, ReadOnlySpan<byte> usage)
    {
        if (TurnOf(e) is not { } message)
        {
            return;
        }

        message.LastSeq = e.Seq;
        message.StopReason = stopReason.IsEmpty ? message.StopReason : _arena.Add(stopReason);
        message.Usage = usage.IsEmpty ? message.Usage : _arena.Add(usage);
    }

    // The message that an event joins, if it is there.
    private Message? TurnOf(in EventSlice e) => e.TurnId.IsEmpty || e.TurnId.SequenceEqual(_currentTurn.Span)
        ? _current : _turns.Find(e.TurnId);

    private Message MessageOf(in EventSlice e)
    {
        if (!e.TurnId.IsEmpty && !e.TurnId.SequenceEqual(_currentTurn.Span))
        {
            _current = _turns.Find(e.TurnId);
            _currentTurn = _current?.TurnId ?? _arena.Add(e.TurnId);
        }

        if (_current is null)
        {
            _current = new Message(Role.Assistant, e.Seq, e.Timestamp, _currentTurn);
            Messages.Add(_current);
            if (_currentTurn.IsSet)
            {
                _turns.Set(_currentTurn.Span, _current);
            }
        }

        return _current;
    }

    private static bool TextOf(ReadOnlySpan<byte> data, out ReadOnlySpan<byte> text, out bool isInterrupted)
    {
        text = default;
        isInterrupted = false;
        if (data is [(byte)'"', ..])
        {
            text = data[1..^1];
            return true;
        }

        bool hasText = false;
        var members = new MemberScan(data);
        while (members.Next())
        {
            if (members.Name.SequenceEqual("text"u8) && members.IsText)
            {
                text = members.RawText;
                hasText = true;
            }
            else if (members.Name.SequenceEqual("interrupted"u8))
            {
                isInterrupted = members.Value.SequenceEqual("true"u8);
            }
        }

        return hasText;
    }

    // Of members with one name the last counts, as in most parsers.
    internal static ReadOnlySpan<byte> Member(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> value = default;
        var members = new MemberScan(data);
        while (members.Next())
        {
            if (members.Name.SequenceEqual(name))
            {
                value = members.Value;
            }
        }

        return value;
    }

    private sealed class Question(Part part) : KnownCall(part.Seq)
    {
        public Part Part => part;
    }
}
