using Sessions.Bindings;
using Xunit;

namespace Sessions.Native.Tests.Handling;

/// <summary>What the end of every export makes of an exception.</summary>
public sealed class ReportTests
{
    public ReportTests() => OwnBoundary.Need();

    [Fact]
    public void AKnownErrorIsItsStatusAndSaysTheSame()
    {
        var thrown = new SessionException(SessionStatus.Conflict, "Nö.", """{"expected":5,"actual":6}""", 3, 4);
        Assert.Equal(Methods.SESSION_E_CONFLICT, Errors.Report(thrown));
        Error error = OwnBoundary.LastError();
        Assert.Equal((Methods.SESSION_E_CONFLICT, "Nö.", """{"expected":5,"actual":6}""", 3L, 4),
            (error.Status, error.Message, error.Details, error.Offset, error.OsError));
    }

    [Fact]
    public void ATimeoutLeavesTheErrorAlone()
    {
        Errors.Report(new SessionException(SessionStatus.Conflict, "before"));
        Assert.Equal(Methods.SESSION_E_TIMEOUT, Errors.Report(new SessionException(SessionStatus.Timeout, "late")));
        Assert.Equal("before", OwnBoundary.LastError().Message);
    }

    [Fact]
    public void CancelledIsForWaitsAndElseTheHandleIsGone()
    {
        var cancelled = new SessionException(SessionStatus.Cancelled, "cancelled");
        Assert.Equal(Methods.SESSION_E_CANCELLED, Errors.Report(cancelled, waits: true));
        Assert.Equal("cancelled", OwnBoundary.LastError().Message);
        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Errors.Report(cancelled));
        Assert.Equal("This is not an open session handle.", OwnBoundary.LastError().Message);
        Assert.Equal(Methods.SESSION_E_INVALID_HANDLE, Errors.Report(cancelled, type: "cursor"));
        Assert.Equal("This is not an open cursor handle.", OwnBoundary.LastError().Message);
    }

    [Fact]
    public void NoMemoryIsReportedWithoutAny()
    {
        Assert.Equal(Methods.SESSION_E_NO_MEMORY, Errors.Report(new OutOfMemoryException()));
        Assert.Equal(Methods.SESSION_E_NO_MEMORY, OwnBoundary.LastError().Status);
    }

    [Fact]
    public void MemoryThatRunsOutWhileReportingIsNoMemory()
    {
        Assert.Equal(Methods.SESSION_E_NO_MEMORY, Errors.Report(new TooLarge()));
        Assert.Equal(Methods.SESSION_E_NO_MEMORY, OwnBoundary.LastError().Status);
    }

    [Fact]
    public void AnythingElseIsABugThatNamesItself()
    {
        Assert.Equal(Methods.SESSION_E_INTERNAL, Errors.Report(new InvalidTimeZoneException("what happened")));
        Error error = OwnBoundary.LastError();
        Assert.Equal((Methods.SESSION_E_INTERNAL, "{}"), (error.Status, error.Details));
        Assert.Contains("InvalidTimeZoneException: what happened", error.Message, StringComparison.Ordinal);
    }

    private sealed class TooLarge : Exception
    {
        public override string Message => throw new OutOfMemoryException();
    }
}
