using Sessions.Json;

namespace Sessions;

/// <summary>Bounds on everything a host hands in. The same numbers stand in session_abi_json.limits.</summary>
internal static class Limits
{
    /// <summary>Bytes of a title, UTF-8.</summary>
    public const int TitleBytesMax = 16 * 1024;

    /// <summary>Bytes of an event's type; at least one, no control characters.</summary>
    public const int EventTypeBytesMax = 128;

    /// <summary>Bytes of metadata or facts after insignificant white space is gone.</summary>
    public const int MetadataBytesMax = 1024 * 1024;

    /// <summary>Bytes of one event's data after insignificant white space is gone.</summary>
    public const int EventBytesMax = 64 * 1024 * 1024;

    /// <summary>Levels of nesting in any JSON.</summary>
    public const int JsonDepthMax = JsonText.DepthMax;

    /// <summary>Bytes of the reason of an abort.</summary>
    public const int ReasonBytesMax = 4096;

    /// <summary>Bytes of a session id, an event id, a turn id or an idempotency key.</summary>
    public const int IdBytesMax = 128;

    /// <summary>The largest integer that the library itself writes: exact as a double.</summary>
    public const long IntegerMax = (1L << 53) - 1;

    /// <summary>One more, and at the largest the same: a file may say that so many were counted, and what is
    /// written must be what is read.</summary>
    public static long Next(long count) => Math.Min(count + 1, IntegerMax);

    /// <summary>Bytes of a page of events, unless a single event is larger.</summary>
    public const int PageBytes = 1024 * 1024;

    /// <summary>Bytes of the arguments of a job.</summary>
    public const int JobArgumentsBytesMax = 1024 * 1024;

    /// <summary>Jobs of one store that wait for a thread.</summary>
    public const int JobsWaitingMax = 10_000;

    /// <summary>Bytes that a cursor may ask for as its page.</summary>
    public const int CursorPageBytesMax = 64 * 1024 * 1024;

    /// <summary>Bytes of a queued message as JSON, without its quotes.</summary>
    public const int QueueMessageBytesMax = 1024 * 1024;

    /// <summary>Bytes of what a session keeps in one small file, and of the shared rules, as compact JSON.</summary>
    public const int SmallFileBytesMax = 16 * 1024 * 1024;

    /// <summary>Issues in the report of a verification; damaged lines of which it keeps copies.</summary>
    public const int VerifyIssuesMax = 10_000;

    /// <summary>Bytes of a session's queue, as compact JSON.</summary>
    public const int QueueBytesMax = 4 * 1024 * 1024;

    /// <summary>Characters of an action button's label; more are cut off.</summary>
    public const int ButtonLabelCharactersMax = 50;

    /// <summary>Characters of an action button's response; more are cut off.</summary>
    public const int ButtonResponseCharactersMax = 1000;

    /// <summary>Action buttons of a session; more are left out.</summary>
    public const int ButtonsMax = 5;
}
