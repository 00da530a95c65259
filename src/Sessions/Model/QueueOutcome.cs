namespace Sessions;

/// <summary>How the delivery of a queue's entry ended. The values are those of SESSION_QUEUE_*.</summary>
public enum QueueOutcome
{
    /// <summary>It was delivered: its prompt is in the log.</summary>
    Sent = 0,

    /// <summary>It was not, and goes back to its place.</summary>
    Release = 1,

    /// <summary>It could not be, and is tried no more.</summary>
    Failed = 2,

    /// <summary>Somebody did not want it any more.</summary>
    Cancelled = 3,
}
