using Sessions.Storage.Log;

namespace Sessions.Events.Pages;

/// <summary>What a reader asked for by type, turn and time. A damaged line has none of these: it passes
/// where nothing was asked for, or where the type "damaged" was.</summary>
internal sealed class EventFilter
{
    private readonly TypeFilter _types;
    private readonly string? _turnId;
    private readonly long _since;
    private readonly long _until;

    public EventFilter(EventCursorOptions options)
    {
        Checks.Number(options.Since, "since");
        Checks.Number(options.Until, "until");
        if (options.Until != 0 && options.Since > options.Until)
        {
            throw Errors.Argument("since", "until must not be before since.");
        }

        Checks.Name(options.TurnId, "turn_id");
        (_turnId, _since, _until) = (options.TurnId, options.Since, options.Until);
        _types = new TypeFilter(options.Types);
    }

    public bool Matches(in EventHead head, bool isDamaged)
    {
        if (isDamaged)
        {
            return _turnId is null && _since == 0 && _until == 0 && _types.Takes("damaged");
        }

        return (_turnId is null || head.TurnId == _turnId)
            && (_since == 0 || head.Timestamp >= _since) && (_until == 0 || head.Timestamp <= _until)
            && _types.Takes(head.Type);
    }
}
