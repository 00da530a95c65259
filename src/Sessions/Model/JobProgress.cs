namespace Sessions;

/// <summary>How far a job has come.</summary>
/// <param name="IsRunning">False once the outcome is there; true also while the job waits for its turn.</param>
/// <param name="Done">How much is done, in units of the kind; never less than before.</param>
/// <param name="Total">How much there is to do; 0 while that is not known.</param>
public readonly record struct JobProgress(bool IsRunning, long Done, long Total);
