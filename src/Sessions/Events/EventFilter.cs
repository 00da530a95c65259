namespace Sessions.Events;

/// <summary>What a reader asked for by type, turn and time. A damaged line has none of these: it passes
/// where nothing was asked for, or where the type "damaged" was.</summary>
internal sealed class EventFilter
{
    private readonly string[]? _types;
    private readonly string? _turnId;
    private readonly long _since;
    private readonly long _until;

    public EventFilter(EventCursorOptions options)
    {
        Checks.Number(options.Since, "since");
        Checks.Number(options.Until, "until");
        if (options.Until != 0 && options.Since > options.Until)
        {
            throw Errors.Argument("since", "The time ends before it begins.");
        }

        Checks.Name(options.TurnId, "turn_id");
        (_turnId, _since, _until) = (options.TurnId, options.Since, options.Until);
        _types = options.Types?.Split(',');
        foreach (string type in _types ?? [])
        {
            Checks.Name(type, "types");
        }
    }

    public bool Matches(in EventHead head, bool isDamaged)
    {
        if (isDamaged)
        {
            return _turnId is null && _since == 0 && _until == 0 && (_types is null || MatchesType("damaged"));
        }

        return (_turnId is null || head.TurnId == _turnId)
            && (_since == 0 || head.Timestamp >= _since) && (_until == 0 || head.Timestamp <= _until)
            && (_types is null || MatchesType(head.Type));
    }

    private bool MatchesType(string type)
    {
        foreach (string wanted in _types!)
        {
            if (wanted[^1] == '*' ? type.AsSpan().StartsWith(wanted.AsSpan(0, wanted.Length - 1)) : type == wanted)
            {
                return true;
            }
        }

        return false;
    }
}
