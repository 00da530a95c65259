using System.Text;
using Sessions.Bindings;

namespace Sessions.Native.Tests;

/// <summary>A store in a folder of its own, opened through the C API.</summary>
internal sealed unsafe class TestStore : IDisposable
{
    private session_store_s* _handle;

    /// <summary>Opens it.</summary>
    public TestStore()
    {
        Folder = Directory.CreateTempSubdirectory("sessions-native-").FullName;
        _handle = Open(Folder);
    }

    /// <summary>Where it is.</summary>
    public string Folder { get; }

    /// <summary>The handle; NULL after <see cref="Close"/>.</summary>
    public session_store_s* Handle => _handle;

    /// <summary>Opens a store and asserts that it worked.</summary>
    public static session_store_s* Open(string folder)
    {
        session_store_s* store;
        nint result = 0;
        Call.Works(Call.With(folder, path =>
        {
            session_store_s* opened;
            int status = Methods.session_store_open(path, null, &opened);
            result = (nint)opened;
            return status;
        }));
        store = (session_store_s*)result;
        return store;
    }

    /// <summary>A new session's handle.</summary>
    public session_s* Create(string? parent = null)
    {
        nint result = 0;
        Call.Works(Call.With(parent, id =>
        {
            session_s* session;
            int status = Methods.session_create((session_store_s*)Pointer, id, null, &session);
            result = (nint)session;
            return status;
        }));
        return (session_s*)result;
    }

    /// <summary>The id of a session.</summary>
    public static string Id(session_s* session)
    {
        sbyte* id;
        Call.Works(Methods.session_get_id(session, &id));
        return Call.Take(id);
    }

    /// <summary>The info of a session.</summary>
    public static string Info(session_s* session)
    {
        sbyte* json;
        nuint length;
        Call.Works(Methods.session_get_info(session, &json, &length));
        return Call.Take(json, length);
    }

    /// <summary>Appends an event; returns its number.</summary>
    public static ulong Append(session_s* session, string type, string data)
    {
        ulong sequence = 0;
        byte[] json = Encoding.UTF8.GetBytes(data);
        nint handle = (nint)session;
        Call.Works(Call.With(type, name =>
        {
            fixed (byte* pointer = json)
            {
                ulong got;
                int status = Methods.session_append_event((session_s*)handle, name, (sbyte*)pointer,
                    (nuint)json.Length, 0, &got);
                sequence = got;
                return status;
            }
        }));
        return sequence;
    }

    /// <summary>Closes it; fine where it is closed.</summary>
    public int Close()
    {
        session_store_s* handle = _handle;
        _handle = null;
        return handle == null ? Methods.SESSION_OK : Methods.session_store_close(handle);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        Directory.Delete(Folder, recursive: true);
    }

    private nint Pointer => (nint)_handle;
}
