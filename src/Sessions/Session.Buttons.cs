using System.Buffers;
using Sessions.Coordination.Buttons;
using Sessions.Images;
using Sessions.Storage.Log;

namespace Sessions;

/// <content>Suggestions for what to say next.</content>
public sealed partial class Session
{
    /// <summary>Writes the action buttons as `{"for_seq":n,"buttons":[{"label":"…","response":"…"}]}`, with a null
    /// and an empty array where there are none. Memory, but for the first look at a session.</summary>
    public void WriteButtons(IBufferWriter<byte> output)
    {
        RequireWritable();
        Current();
        byte[] image = _store.Look(isSettled =>
        {
            lock (Core.Rows.Gate)
            {
                return Core.Rows.ReadSide(_row, SmallFileKind.Buttons, isSettled);
            }
        });
        Write(output, ActionButtons.Read(image).WriteTo);
    }

    /// <summary>
    /// Sets the action buttons: a JSON array of `{"label":"…","response":"…"}`, neither of them empty, the response
    /// the label where it is left out. The first 5 are kept, and of a label the first 50 and of a response the first
    /// 1,000 characters (code points), cut where people see a character end. An empty array removes them, and their
    /// file. They follow the event with the number <paramref name="forSeq"/> (0: the last one now): Conflict where a
    /// `user_prompt` came behind it that no rewind hides, or a rewind hides the event itself, so that what was
    /// thought of too late does no harm; InvalidArgument where there is no such event yet. The next user_prompt removes
    /// them in its own commit, however it is written. Buttons are in no log, and a branch has none. Open to all,
    /// whoever holds the session's lock. A commit.
    /// </summary>
    public void SetButtons(ReadOnlySpan<byte> buttonsJson, long forSeq = 0)
    {
        List<ActionButton> buttons = ActionButtons.ReadArgument(buttonsJson);
        Checks.Number(forSeq, "for_seq");
        RequireWritable();
        long seen = forSeq == 0 ? 0 : _store.Run(() => RequireNoLaterPrompt(forSeq));
        Commit(new SetButtonsRequest(Core, _row, buttons, forSeq, seen) { Full = _store.IsFull });
    }

    // Without a lock, since it may take a while; up to which event it has looked.
    private long RequireNoLaterPrompt(long forSeq)
    {
        SessionInfo info = Current();
        if (info.LastSeq <= forSeq)
        {
            return info.LastSeq;
        }

        (LogView log, LogState state) = OpenLog(info);
        using (log)
        {
            long later = SetButtonsRequest.FindPrompt(log, state, forSeq, info.LastSeq);
            return later == 0 ? info.LastSeq : throw ButtonErrors.Passed(forSeq, later);
        }
    }
}
