using System.Runtime.InteropServices;

namespace Sessions.Native;

#pragma warning disable CS0649 // hosts fill these
#pragma warning disable CS0169

/// <summary>session_store_options_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct StoreOptions
{
    internal uint Size;
    internal uint Flags;
    internal int Durability;
    internal uint BusyTimeoutMs;
    internal byte* ShareBaseUrl;
    internal byte* ClientType;

    internal static SessionStoreOptions? Read(StoreOptions* options)
    {
        if (options == null)
        {
            return null;
        }

        const StoreFlags Known = StoreFlags.ReadOnly | StoreFlags.MustExist | StoreFlags.NoMigrate
            | StoreFlags.AllowNetwork | StoreFlags.SharedOwners;
        Argument.InStruct(options, (uint)sizeof(StoreOptions), "session_store_options_t", "options");
        return new SessionStoreOptions
        {
            Flags = (StoreFlags)Argument.Flags(options->Flags, (uint)Known),
            Durability = (Durability)Argument.Choice(options->Durability,
                (int)Sessions.Durability.Relaxed, "durability"),
            BusyTimeoutMs = options->BusyTimeoutMs,
            ShareBaseUrl = Argument.OptionalText(options->ShareBaseUrl, "share_base_url"),
            ClientType = Argument.OptionalText(options->ClientType, "client_type"),
        };
    }
}

/// <summary>session_create_options_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CreateOptions
{
    internal uint Size;
    internal uint Flags;
    internal byte* Title;
    internal byte* MetadataJson;
    internal byte* FactsJson;
    internal byte* IdempotencyKey;
    internal byte* DecisionId;

    internal static SessionCreateOptions? Read(CreateOptions* options)
    {
        if (options == null)
        {
            return null;
        }

        Argument.InStruct(options, (uint)sizeof(CreateOptions), "session_create_options_t", "options");
        Argument.Flags(options->Flags, 0);
        return new SessionCreateOptions
        {
            Title = Argument.OptionalText(options->Title, "title"),
            Metadata = Argument.OptionalCopy(options->MetadataJson, "metadata_json"),
            Facts = Argument.OptionalCopy(options->FactsJson, "facts_json"),
            IdempotencyKey = Argument.OptionalText(options->IdempotencyKey, "idempotency_key"),
            DecisionId = Argument.OptionalText(options->DecisionId, "decision_id"),
        };
    }
}

/// <summary>session_list_options_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ListOptions
{
    internal uint Size;
    internal uint Flags;
    internal int Order;
    internal int Archived;
    internal uint Limit;
    internal uint Reserved;
    internal byte* ParentId;
    internal byte* TitleContains;
    internal byte* FilterJson;
    internal byte* Fields;
    internal byte* Cursor;

    internal static SessionListOptions? Read(ListOptions* options)
    {
        if (options == null)
        {
            return null;
        }

        Argument.InStruct(options, (uint)sizeof(ListOptions), "session_list_options_t", "options");
        Argument.Reserved(options->Reserved, "reserved");
        return new SessionListOptions
        {
            Flags = (ListFlags)Argument.Flags(options->Flags, (uint)(ListFlags.Roots | ListFlags.Trash)),
            Order = (ListOrder)Argument.Choice(options->Order, (int)ListOrder.ActiveDescending, "order"),
            Archived = (ArchivedFilter)Argument.Choice(options->Archived,
                (int)ArchivedFilter.Include, "archived"),
            Limit = options->Limit,
            ParentId = Argument.OptionalText(options->ParentId, "parent_id"),
            TitleContains = Argument.OptionalText(options->TitleContains, "title_contains"),
            Filter = Argument.OptionalCopy(options->FilterJson, "filter_json"),
            Fields = Argument.OptionalText(options->Fields, "fields"),
            Cursor = Argument.OptionalText(options->Cursor, "cursor"),
        };
    }
}

/// <summary>session_share_options_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ShareOptions
{
    internal uint Size;
    internal uint Flags;
    internal long ExpiresAt;
    internal ulong FirstSeq;
    internal ulong LastSeq;
    internal uint MaxUses;
    internal uint Reserved;

    internal static SessionShareOptions? Read(ShareOptions* options)
    {
        if (options == null)
        {
            return null;
        }

        Argument.InStruct(options, (uint)sizeof(ShareOptions), "session_share_options_t", "options");
        Argument.Reserved(options->Reserved, "reserved");
        return new SessionShareOptions
        {
            Flags = (ShareFlags)Argument.Flags(options->Flags, (uint)(ShareFlags.Rotate | ShareFlags.Live)),
            ExpiresAt = Argument.Time(options->ExpiresAt, "expires_at"),
            FirstSeq = Argument.Integer(options->FirstSeq, "first_seq"),
            LastSeq = Argument.Integer(options->LastSeq, "last_seq"),
            MaxUses = options->MaxUses,
        };
    }
}

/// <summary>session_append_options_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct AppendOptionsIn
{
    internal uint Size;
    internal uint Flags;
    internal long Timestamp;
    internal byte* TurnId;
    internal byte* Id;

    internal static AppendOptions Read(AppendOptionsIn* options)
    {
        if (options == null)
        {
            return default;
        }

        Argument.InStruct(options, (uint)sizeof(AppendOptionsIn), "session_append_options_t", "options");
        return new AppendOptions
        {
            Flags = ReadFlags(options->Flags),
            Timestamp = Argument.Time(options->Timestamp, "timestamp"),
            TurnId = Argument.OptionalText(options->TurnId, "turn_id"),
            Id = Argument.OptionalText(options->Id, "id"),
        };
    }

    internal static AppendFlags ReadFlags(uint flags)
    {
        const AppendFlags Both = AppendFlags.Relaxed | AppendFlags.Durable;
        AppendFlags known = (AppendFlags)Argument.Flags(flags, (uint)(Both | AppendFlags.Check));
        return (known & Both) != Both ? known : throw new SessionException(SessionStatus.InvalidArgument,
            "An append must be relaxed or durable, not both.", """{"argument":"flags"}""");
    }
}

/// <summary>session_cursor_options_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CursorOptions
{
    internal uint Size;
    internal uint Flags;
    internal ulong AfterSeq;
    internal long Since;
    internal long Until;
    internal uint PageBytes;
    internal uint Reserved;
    internal byte* Types;
    internal byte* TurnId;

    internal static EventCursorOptions? Read(CursorOptions* options)
    {
        if (options == null)
        {
            return null;
        }

        const ReadFlags Known = ReadFlags.Hidden | ReadFlags.Context | ReadFlags.DataAsText;
        Argument.InStruct(options, (uint)sizeof(CursorOptions), "session_cursor_options_t", "options");
        Argument.Reserved(options->Reserved, "reserved");
        return new EventCursorOptions
        {
            Flags = (ReadFlags)Argument.Flags(options->Flags, (uint)Known),
            AfterSeq = Argument.Integer(options->AfterSeq, "after_seq"),
            Since = Argument.Time(options->Since, "since"),
            Until = Argument.Time(options->Until, "until"),
            PageBytes = options->PageBytes,
            Types = Argument.OptionalText(options->Types, "types"),
            TurnId = Argument.OptionalText(options->TurnId, "turn_id"),
        };
    }
}

/// <summary>session_lock_options_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LockOptionsIn
{
    internal uint Size;
    internal uint Flags;
    internal uint TimeoutMs;
    internal uint Reserved;
    internal byte* Message;

    internal static LockOptions? Read(LockOptionsIn* options)
    {
        if (options == null)
        {
            return null;
        }

        Argument.InStruct(options, (uint)sizeof(LockOptionsIn), "session_lock_options_t", "options");
        Argument.Reserved(options->Reserved, "reserved");
        return new LockOptions
        {
            Flags = (LockFlags)Argument.Flags(options->Flags, (uint)LockFlags.Ask),
            TimeoutMs = options->TimeoutMs,
            Message = Argument.OptionalText(options->Message, "message"),
        };
    }
}

/// <summary>session_watch_options_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct WatchOptionsIn
{
    internal uint Size;
    internal uint Flags;
    internal ulong AfterLsn;
    internal byte* SessionId;
    internal byte* Kinds;
    internal delegate* unmanaged[Cdecl]<void*, void> Wake;
    internal void* WakeUser;

    internal static WatchOptions? Read(WatchOptionsIn* options)
    {
        if (options == null)
        {
            return null;
        }

        Argument.InStruct(options, (uint)sizeof(WatchOptionsIn), "session_watch_options_t", "options");
        return new WatchOptions
        {
            Flags = (WatchFlags)Argument.Flags(options->Flags, (uint)WatchFlags.Coalesce),
            AfterLsn = Argument.Integer(options->AfterLsn, "after_lsn"),
            SessionId = Argument.OptionalText(options->SessionId, "session_id"),
            Kinds = Argument.OptionalText(options->Kinds, "kinds"),
            Wake = options->Wake == null ? null : new HostWake(options->Wake, options->WakeUser).Call,
        };
    }

    /// <summary>The host's function and what it wants to be called with.</summary>
    private sealed class HostWake(delegate* unmanaged[Cdecl]<void*, void> function, void* user)
    {
        internal void Call() => Boundary.Wake(function, user);
    }
}

/// <summary>session_stat_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StatOut
{
    internal uint Size;
    internal uint Flags;
    internal ulong Revision;
    internal ulong LastSeq;
    internal ulong EventCount;
    internal ulong MessageCount;
    internal ulong AbortCount;
    internal long CreatedAt;
    internal long UpdatedAt;
    internal long LastEventAt;
}

/// <summary>session_progress_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Progress
{
    internal uint Size;
    internal int Running;
    internal ulong Done;
    internal ulong Total;
}
