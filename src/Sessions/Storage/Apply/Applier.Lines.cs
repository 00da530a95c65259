using Sessions.Platform;
using Sessions.Storage.Files;

namespace Sessions.Storage.Apply;

/// <content>Lines of event logs.</content>
internal sealed partial class Applier
{
    private void WriteLines(string folder, FoldedSession session)
    {
        string path = folder + "/" + Layout.EventsFile;
        bool isRedo = OnExcess is not null || !MakesLostFolders;
        IDiskFile file = _logs.Get(session, path, isRedo);
        if (OnExcess is not null && _mender.MakeWhereOther(session, path, file) is { } made)
        {
            _logs.Put(session.Id, made);
            return;
        }

        if (isRedo)
        {
            CloseBefore(file, session);
        }

        long start = session.Lines[0].Offset, end = start;
        _text.Clear();
        foreach ((long offset, ReadOnlyMemory<byte> bytes) in session.Lines)
        {
            if (offset != end)
            {
                file.Write(_text.Written, start);
                _text.Clear();
                start = offset;
            }

            _text.Raw(bytes.Span);
            end = offset + bytes.Length;
        }

        file.Write(_text.Written, start);
        if (OnExcess is not null && file.Length > end)
        {
            OnExcess(path, file, end);
            file.SetLength(end);
        }
    }

    // Where somebody cut the log so that the line before has lost its end, nothing is glued onto it.
    private static void CloseBefore(IDiskFile file, FoldedSession session)
    {
        long end = 0;
        Span<byte> before = stackalloc byte[1];
        foreach ((long offset, ReadOnlyMemory<byte> bytes) in session.Lines)
        {
            if (offset > 0 && offset != end && !bytes.Span.StartsWith("\n"u8)
                && (file.Read(before, offset - 1) < 1 || before[0] == 0))
            {
                file.Write("\n"u8, offset - 1);
            }

            end = offset + bytes.Length;
        }
    }
}
