using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sessions.Native;

/// <summary>store.h: jobs.</summary>
internal static unsafe class Jobs
{
    private const string Type = "job";

    [UnmanagedCallersOnly(EntryPoint = "managed_session_job_start", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Start(nint store, byte* kind, byte* argsJson, nuint argsLength, nint* outJob)
    {
        try
        {
            Out.Clear(outJob);
            SessionStore? target = store == 0 ? null : Handles.Store(store); // two kinds need none
            string word = Argument.Text(kind, "kind");
            ReadOnlySpan<byte> arguments = Argument.Utf8(argsJson, argsLength, "args_json");
            Argument.NotNull(outJob, "out_job");
            SessionJob job = SessionJob.Start(target, word, arguments);
            try
            {
                *outJob = Handles.Add(job);
            }
            catch
            {
                job.Dispose();
                throw;
            }

            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_job_get_progress", CallConvs = [typeof(CallConvCdecl)])]
    internal static int GetProgress(nint job, Progress* outProgress)
    {
        try
        {
            SessionJob target = Handles.Job(job);
            uint size = Argument.OutStruct(outProgress, (uint)sizeof(Progress), "out_progress");
            *outProgress = new Progress { Size = size };
            JobProgress progress = target.GetProgress();
            *outProgress = new Progress
            {
                Size = size,
                Running = progress.IsRunning ? 1 : 0,
                Done = (ulong)progress.Done,
                Total = (ulong)progress.Total,
            };
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, type: Type);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_job_wait", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Wait(nint job, uint timeoutMs)
    {
        try
        {
            return Handles.Job(job).Wait(timeoutMs) ? 0 : (int)SessionStatus.Timeout;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, waits: true);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_job_result", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Result(nint job, byte** outJson, nuint* outLength)
    {
        try
        {
            NativeWriter.Clear(outJson, outLength);
            SessionJob target = Handles.Job(job);
            NativeWriter output = NativeWriter.Start(outJson);
            if (!target.TryWriteResult(output))
            {
                NativeWriter.Abandon();
                return (int)SessionStatus.Timeout;
            }

            output.Finish(outJson, outLength);
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, waits: true); // a job that was cancelled answers just that
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "managed_session_job_cancel", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Cancel(nint job)
    {
        try
        {
            Handles.Job(job).Cancel();
            return 0;
        }
        catch (Exception exception)
        {
            return Errors.Report(exception, type: Type);
        }
    }

    /// <summary>The end of a handle; like that of a session it leaves the thread's error alone.</summary>
    [UnmanagedCallersOnly(EntryPoint = "managed_session_job_destroy", CallConvs = [typeof(CallConvCdecl)])]
    internal static int Destroy(nint job)
    {
        try
        {
            if (Handles.Remove<SessionJob>(job) is not { } target)
            {
                return (int)SessionStatus.InvalidHandle;
            }

            target.Dispose();
            return 0;
        }
        catch (Exception exception)
        {
            LogRing.Add("error", $"session_job_destroy: {exception}");
            return (int)SessionStatus.Internal;
        }
    }
}
