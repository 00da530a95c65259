namespace Sessions.Tests.Processes;

/// <summary>A temporary folder for a store that real processes share.</summary>
internal sealed class StoreFolder : IDisposable
{
    private readonly string _temp = Directory.CreateTempSubdirectory("sessions-processes-").FullName;

    public StoreFolder() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc and sends Linux's signals.");

    public string Store => Path.Combine(_temp, "store");

    public string At(string path) => Path.Combine(Store, path);

    /// <summary>Opens it in this process.</summary>
    public SessionStore Open() => SessionStore.Open(Store, new SessionStoreOptions { BusyTimeoutMs = 60_000 });

    public void Dispose() => Directory.Delete(_temp, recursive: true);
}
