namespace Sessions.Platform.Unix;

/// <summary>
/// Makes files as another user for as long as it lasts, in the calling thread alone (setfsuid(2)): what root makes in a
/// user's store is that user's from the first moment, also where root's process is killed in the next. Linux alone has
/// it; elsewhere the owner is given right after.
/// </summary>
internal readonly ref struct FileUser
{
    private readonly bool _isSet;

    /// <param name="user">The user; null: nothing changes.</param>
    public FileUser(uint? user)
    {
        _isSet = user is not null && OperatingSystem.IsLinux();
        if (_isSet)
        {
            Libc.SetFileUser(user!.Value);
        }
    }

    public void Dispose()
    {
        if (_isSet)
        {
            int error = Errno.Last;
            Libc.SetFileUser(0); // only root has a user to make files for
            System.Runtime.InteropServices.Marshal.SetLastPInvokeError(error);
        }
    }
}
