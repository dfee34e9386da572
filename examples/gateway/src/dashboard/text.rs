//! Everything that the pages say, in both languages: one line a text, the English beside the Spanish.

/// One text: English, Spanish. `{}` is a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Text(pub(super) &'static str, pub(super) &'static str);

// The frame.
pub(super) const SKIP: Text = Text("Skip to the content", "Ir al contenido");
pub(super) const PAGES: Text = Text("Pages", "Páginas");
pub(super) const PAGER: Text = Text("Pages of the list", "Páginas de la lista");
pub(super) const LANGUAGE: Text = Text("Language", "Idioma");
pub(super) const LOG_IN: Text = Text("Log in", "Entrar");
pub(super) const LOG_OUT: Text = Text("Log out", "Salir");
pub(super) const API_KEY: Text = Text("API key", "Clave de API");
pub(super) const API_KEY_HINT: Text = Text(
    "It was shown once, at the first start of the gateway; or it is `api_key` in punch.toml.",
    "Se mostró una sola vez, al primer inicio del gateway; o es `api_key` en punch.toml.",
);
pub(super) const WRONG_KEY: Text = Text(
    "This key is not known here. Nothing else was looked at.",
    "Aquí no se conoce esta clave. No se miró nada más.",
);
pub(super) const TOO_MANY_TRIES: Text = Text(
    "Too many keys were tried from this address. Wait five minutes, then try again.",
    "Se probaron demasiadas claves desde esta dirección. Espere cinco minutos e intente otra vez.",
);
pub(super) const MISSING: Text = Text("Not found", "No encontrado");
pub(super) const MISSING_LONG: Text = Text(
    "There is no such thing here. It may have been settled in the meantime.",
    "Aquí no existe tal cosa. Puede que se haya resuelto entretanto.",
);
pub(super) const FORM_REFUSED: Text = Text("Form refused", "Formulario rechazado");
pub(super) const FORM_REFUSED_LONG: Text = Text(
    "This form is not of your session, or your session has ended. Nothing was done. Go back, load the page again, and repeat it.",
    "Este formulario no es de su sesión, o su sesión terminó. No se hizo nada. Vuelva, cargue la página otra vez y repita.",
);
pub(super) const NOT_ALLOWED: Text = Text("Not with this key", "No con esta clave");
pub(super) const NOT_ALLOWED_LONG: Text = Text(
    "The key that you logged in with does not go so far. Nothing was done.",
    "La clave con la que entró no llega hasta ahí. No se hizo nada.",
);
pub(super) const UNAVAILABLE: Text = Text("Not available now", "No disponible ahora");
pub(super) const UNAVAILABLE_LONG: Text = Text(
    "The gateway cannot do this now; its log says why. Try again in a moment.",
    "El gateway no puede hacerlo ahora; su registro dice por qué. Intente otra vez en un momento.",
);

// The pages.
pub(super) const OVERVIEW: Text = Text("Overview", "Resumen");
pub(super) const DEVICES: Text = Text("Terminals", "Terminales");
pub(super) const PUNCHES: Text = Text("Punches", "Marcaciones");
pub(super) const DELIVERIES: Text = Text("Deliveries", "Entregas");
pub(super) const ENDPOINTS: Text = Text("Endpoints", "Receptores");
pub(super) const QUARANTINE: Text = Text("Quarantine", "Cuarentena");
pub(super) const SITES: Text = Text("Sites", "Sedes");

// Pieces.
pub(super) const AGO: Text = Text("{} ago", "hace {}");
pub(super) const IN_A_WHILE: Text = Text("in {}", "en {}");
pub(super) const NEWER: Text = Text("Newer", "Más nuevas");
pub(super) const OLDER: Text = Text("Older", "Más antiguas");
pub(super) const ANY: Text = Text("Any", "Cualquiera");
pub(super) const FILTER: Text = Text("Show", "Mostrar");
pub(super) const SHOW: Text = Text("Rows", "Filas");
pub(super) const ACTION: Text = Text("What to do", "Qué hacer");
pub(super) const STATE: Text = Text("State", "Estado");
pub(super) const SITE: Text = Text("Site", "Sede");
pub(super) const DEVICE: Text = Text("Terminal", "Terminal");
pub(super) const EVENT: Text = Text("Event", "Evento");
pub(super) const EVENTS: Text = Text("Events", "Eventos");
pub(super) const ENDPOINT: Text = Text("Endpoint", "Receptor");
pub(super) const NUMBER: Text = Text("Number", "Número");
pub(super) const CREATED: Text = Text("Made", "Creada");
pub(super) const RECEIVED: Text = Text("Received", "Recibida");
pub(super) const HOUR: Text = Text("Hour (UTC)", "Hora (UTC)");
pub(super) const AS_TABLE: Text = Text("As a table", "Como tabla");

// The overview.
pub(super) const DEVICES_ONLINE: Text = Text("Terminals online", "Terminales en línea");
pub(super) const DEVICES_LATE: Text = Text("Terminals late", "Terminales atrasados");
pub(super) const DEVICES_NEVER: Text = Text("Not heard since the start", "Sin contacto desde el inicio");
pub(super) const DEVICES_PENDING: Text = Text("Terminals that want in", "Terminales que piden entrar");
pub(super) const DELIVERIES_WAITING: Text = Text("Deliveries waiting", "Entregas en espera");
pub(super) const DELIVERIES_FAILED: Text = Text("Deliveries failed", "Entregas fallidas");
pub(super) const DELIVERIES_MADE: Text = Text("Deliveries made in 24 hours", "Entregas hechas en 24 horas");
pub(super) const ENDPOINTS_TROUBLED: Text = Text("Endpoints that take nothing", "Receptores que no reciben");
pub(super) const HELD_ROWS: Text = Text("Rows held", "Filas retenidas");
pub(super) const PUNCHES_ACCEPTED: Text = Text("Punches accepted in 24 hours", "Marcaciones aceptadas en 24 horas");
pub(super) const EMPLOYEES: Text = Text("Badges registered", "Credenciales registradas");
pub(super) const EXPIRES_SOON: Text = Text(
    "A certificate has to be renewed: put a new one into its file, no restart is needed. It expires",
    "Hay que renovar un certificado: ponga uno nuevo en su archivo, no hace falta reiniciar. Vence el",
);
pub(super) const OLDEST_WAITING: Text =
    Text("The oldest delivery that waits was made", "La entrega más antigua en espera se creó el");
pub(super) const CHART_PUNCHES: Text =
    Text("Punches accepted per hour, last 24 hours (UTC)", "Marcaciones aceptadas por hora, últimas 24 horas (UTC)");
pub(super) const CHART_LATENCY: Text =
    Text("Time to delivery by hour, last 24 hours (UTC)", "Tiempo hasta la entrega por hora, últimas 24 horas (UTC)");
pub(super) const HALF_WITHIN: Text = Text("Half within", "La mitad en menos de");
pub(super) const MOST_WITHIN: Text = Text("95 of 100 within", "95 de 100 en menos de");

// Terminals.
pub(super) const SERIAL: Text = Text("Serial number", "Número de serie");
pub(super) const SERIAL_HINT: Text = Text(
    "As the terminal shows it in its menu: letters, digits, hyphens.",
    "Como lo muestra el menú del terminal: letras, cifras, guiones.",
);
pub(super) const ADD_DEVICE: Text = Text("Let a terminal in", "Dejar entrar un terminal");
pub(super) const APPROVE: Text = Text("Approve", "Aprobar");
pub(super) const BLOCK: Text = Text("Block", "Bloquear");
pub(super) const BLOCKED_NOW: Text =
    Text("The terminal is kept out from its next call on.", "El terminal no puede entrar desde su próxima llamada.");
pub(super) const FIRST_SEEN: Text = Text("First seen", "Visto por primera vez");
pub(super) const LAST_SEEN: Text = Text("Last seen", "Visto por última vez");
pub(super) const CLOCK: Text = Text("Clock", "Reloj");
pub(super) const BACKLOG: Text = Text("Backlog", "Pendientes");
pub(super) const COMPLETE_TO: Text = Text("Everything known up to", "Todo conocido hasta");
pub(super) const PENDING_HINT: Text = Text(
    "They have called and nobody has approved them. They keep their rows until then. Compare the serial number with the one on the terminal.",
    "Llamaron y nadie los ha aprobado. Guardan sus filas hasta entonces. Compare el número de serie con el del terminal.",
);
pub(super) const SOURCE_SET: Text = Text("from its own networks only", "solo desde sus propias redes");
pub(super) const TOLD_BY: Text = Text("told by the source", "la informa la fuente");
pub(super) const PATH_SET: Text = Text("under a secret path", "bajo una ruta secreta");
pub(super) const NO_DEVICES: Text =
    Text("No terminal has been approved yet.", "Todavía no se ha aprobado ningún terminal.");
pub(super) const APPROVED_NOW: Text =
    Text("The terminal is let in from its next call on.", "El terminal puede entrar desde su próxima llamada.");
pub(super) const BAD_SERIAL: Text = Text(
    "This is no serial number: 1 to 64 letters, digits, hyphens and the like. Nothing was changed.",
    "Esto no es un número de serie: de 1 a 64 letras, cifras, guiones y similares. No se cambió nada.",
);
pub(super) const ONLINE: Text = Text("online", "en línea");
pub(super) const LATE: Text = Text("late", "atrasado");
pub(super) const NEVER: Text = Text("not heard since the start", "sin contacto desde el inicio");
pub(super) const APPROVED: Text = Text("approved", "aprobado");
pub(super) const PENDING: Text = Text("pending", "pendiente");
pub(super) const BLOCKED: Text = Text("blocked", "bloqueado");
pub(super) const BEHIND: Text = Text("catching up", "poniéndose al día");
pub(super) const LEVEL: Text = Text("none", "ninguno");
pub(super) const CLOCK_OK: Text = Text("right", "correcto");
pub(super) const CLOCK_DRIFT: Text = Text("drifts", "se desvía");
pub(super) const CLOCK_ZONE: Text = Text("wrong time zone", "zona horaria errónea");
pub(super) const CLOCK_WRONG: Text = Text("clock wrong", "reloj erróneo");
pub(super) const ADVICE_DRIFT: Text =
    Text("Off by seconds, as clocks are that nobody sets.", "Difiere en segundos, como todo reloj que nadie ajusta.");
pub(super) const ADVICE_ZONE: Text = Text(
    "Off by what two time zones differ: compare the zone in punch.toml with the terminal's menu.",
    "Difiere en lo que distan dos zonas horarias: compare la zona de punch.toml con el menú del terminal.",
);
pub(super) const ADVICE_CLOCK: Text = Text(
    "Set by hand, or its battery is at its end: set date and time, and have the battery looked at.",
    "Ajustado a mano, o con la pila agotada: ajuste fecha y hora, y haga revisar la pila.",
);
pub(super) const ADVICE_AHEAD: Text = Text(
    "It was ahead: a punch came before the time it shows. Look at the terminal's date, time and time zone.",
    "Iba adelantado: una marcación llegó antes de la hora que muestra. Revise fecha, hora y zona horaria del terminal.",
);

// Sites.
pub(super) const WAITING_FOR: Text = Text("Waiting for", "Espera a");
pub(super) const NO_SITES: Text = Text("Nothing is known of any site yet.", "Todavía no se sabe nada de ninguna sede.");
pub(super) const NO_SITE_NAME: Text = Text("(without a name)", "(sin nombre)");
pub(super) const SITES_HINT: Text = Text(
    "Up to then every punch of the site has come. A terminal that is off, or a row that is held, holds it back.",
    "Hasta entonces llegó toda marcación de la sede. La detiene un terminal apagado o una fila retenida.",
);

// Punches.
pub(super) const LIVE_PLAIN: Text = Text(
    "The last punches, newest first. Load the page again for newer ones.",
    "Las últimas marcaciones, primero las más nuevas. Cargue la página otra vez para ver las siguientes.",
);
pub(super) const LIVE_OPEN: Text =
    Text("Live: new punches appear by themselves.", "En vivo: las marcaciones nuevas aparecen solas.");
pub(super) const LIVE_LOST: Text = Text(
    "The connection is lost. Load the page again if it does not come back.",
    "Se perdió la conexión. Cargue la página otra vez si no vuelve.",
);
pub(super) const LOCAL_TIME: Text = Text("Local time", "Hora local");
pub(super) const PERSON: Text = Text("Person", "Persona");
pub(super) const DIRECTION: Text = Text("Direction", "Dirección");
pub(super) const METHOD: Text = Text("Method", "Método");
pub(super) const NO_PUNCHES: Text = Text("No punch has come yet.", "Todavía no ha llegado ninguna marcación.");
pub(super) const IN: Text = Text("in", "entrada");
pub(super) const OUT: Text = Text("out", "salida");
pub(super) const BREAK_IN: Text = Text("back from break", "vuelta de pausa");
pub(super) const BREAK_OUT: Text = Text("to break", "salida a pausa");
pub(super) const OVERTIME_IN: Text = Text("overtime in", "entrada a horas extra");
pub(super) const OVERTIME_OUT: Text = Text("overtime out", "salida de horas extra");
pub(super) const UNKNOWN: Text = Text("unknown", "desconocido");
pub(super) const FINGERPRINT: Text = Text("fingerprint", "huella");
pub(super) const FACE: Text = Text("face", "rostro");
pub(super) const PALM: Text = Text("palm", "palma");
pub(super) const CARD: Text = Text("card", "tarjeta");
pub(super) const PASSWORD: Text = Text("password", "contraseña");
pub(super) const PIN: Text = Text("PIN typed", "PIN tecleado");
pub(super) const VEIN: Text = Text("vein", "vena");
pub(super) const MULTI: Text = Text("several", "varios");
pub(super) const MISSING_IN: Text = Text("entry missing", "falta la entrada");
pub(super) const MISSING_OUT: Text = Text("exit missing", "falta la salida");
pub(super) const REPEAT_IN: Text = Text("second entry", "segunda entrada");
pub(super) const REPEAT_OUT: Text = Text("second exit", "segunda salida");
pub(super) const UNCLOSED_BREAK: Text = Text("break not ended", "pausa sin terminar");
pub(super) const MISSING_BREAK_OUT: Text = Text("break not begun", "pausa sin empezar");
pub(super) const IMPOSSIBLE_TRAVEL: Text = Text("too far in this time", "demasiado lejos en ese tiempo");
pub(super) const WRONG_BUTTON: Text = Text("wrong key pressed", "tecla equivocada");

// Deliveries.
pub(super) const DELIVERY: Text = Text("Delivery", "Entrega");
pub(super) const ATTEMPT: Text = Text("Attempt", "Intento");
pub(super) const ATTEMPTS: Text = Text("Attempts", "Intentos");
pub(super) const NO_ATTEMPTS: Text = Text("None yet.", "Ninguno todavía.");
pub(super) const NO_DELIVERIES: Text = Text("There is no such delivery.", "No hay tal entrega.");
pub(super) const NEXT_TRY: Text = Text("Next try", "Próximo intento");
pub(super) const SETTLED: Text = Text("Settled", "Resuelta");
pub(super) const RESEND: Text = Text("Send again", "Enviar otra vez");
pub(super) const RESENT: Text =
    Text("It is on its way again, under the same event id.", "Va otra vez en camino, con el mismo id de evento.");
pub(super) const ON_ITS_WAY: Text = Text("It is on its way already.", "Ya va en camino.");
pub(super) const NO_ANSWER: Text = Text("no answer", "sin respuesta");
pub(super) const TOOK: Text = Text("took", "tardó");
pub(super) const ANSWER: Text = Text("Answer", "Respuesta");
pub(super) const REQUEST: Text = Text("Request as it was sent", "Petición tal como se envió");
pub(super) const HEADERS: Text = Text("Headers", "Cabeceras");
pub(super) const BODY: Text = Text("Body", "Cuerpo");
pub(super) const NOT_SHOWN: Text = Text("not shown", "no se muestra");
pub(super) const WAITING: Text = Text("waiting", "en espera");
pub(super) const DELIVERED: Text = Text("delivered", "entregada");
pub(super) const FAILED: Text = Text("failed", "fallida");

// Endpoints.
pub(super) const NO_ENDPOINTS: Text = Text(
    "There is no endpoint. Add one with `POST /v1/webhooks` or in punch.toml.",
    "No hay ningún receptor. Agregue uno con `POST /v1/webhooks` o en punch.toml.",
);
pub(super) const FAILURES: Text = Text("Failures in a row", "Fallos seguidos");
pub(super) const LAST_ERROR: Text = Text("Last error", "Último error");
pub(super) const FORM: Text = Text("Payload and schedule", "Cuerpo y calendario");
pub(super) const PAUSE: Text = Text("Pause", "Pausar");
pub(super) const RESUME: Text = Text("Resume", "Reanudar");
pub(super) const SEND_TEST: Text = Text("Send a test event", "Enviar un evento de prueba");
pub(super) const PAUSED_NOW: Text =
    Text("Nothing is sent to it any more. Everything is kept.", "Ya no se le envía nada. Todo se conserva.");
pub(super) const RESUMED_NOW: Text = Text("What waits is sent from now on.", "Desde ahora se envía lo que espera.");
pub(super) const TEST_SENT: Text = Text(
    "The test event is on its way. Load the page again to see what was answered.",
    "El evento de prueba va en camino. Cargue la página otra vez para ver qué se respondió.",
);
pub(super) const HEALTHY: Text = Text("healthy", "sano");
pub(super) const BACKING_OFF: Text = Text("failing, tried now and then", "falla, se prueba de vez en cuando");
pub(super) const PAUSED: Text = Text("paused", "en pausa");
pub(super) const DISABLED: Text = Text("disabled: it answered 410", "desactivado: respondió 410");

// Quarantine.
pub(super) const REASON: Text = Text("Reason", "Motivo");
pub(super) const REASONS: Text = Text("Reasons", "Motivos");
pub(super) const ALL_REASONS: Text = Text("all", "todos");
pub(super) const ROW: Text = Text("Row", "Fila");
pub(super) const HELD_ROW: Text = Text("Row in quarantine", "Fila en cuarentena");
pub(super) const DISCARDED_ROWS: Text = Text("Rows put away", "Filas apartadas");
pub(super) const CLOCK_SHOWED: Text = Text("The clock showed", "El reloj mostraba");
pub(super) const PROBLEM: Text = Text("Problem", "Problema");
pub(super) const WHY_PUT_AWAY: Text = Text("Why it was put away", "Por qué se apartó");
pub(super) const AS_SENT: Text = Text("As the terminal sent it", "Tal como la envió el terminal");
pub(super) const NO_ROWS: Text = Text("There is no such row.", "No hay tal fila.");
pub(super) const BACK: Text = Text("Back to all rows", "Volver a todas las filas");
pub(super) const RETRY: Text = Text("Take it once more", "Procesar otra vez");
pub(super) const RETRY_ALL: Text = Text("Take all of these once more", "Procesar todas estas otra vez");
pub(super) const RETRY_ALL_HINT: Text = Text(
    "Their cause may be gone. What is still wrong stays held.",
    "Puede que la causa ya no exista. Lo que siga mal queda retenido.",
);
pub(super) const TAKE_BACK: Text = Text("Take it back", "Recuperarla");
pub(super) const REGISTER: Text = Text("Register the badge", "Registrar la credencial");
pub(super) const BADGE: Text = Text("Badge number", "Número de credencial");
pub(super) const BADGE_HINT: Text = Text(
    "The PIN as the terminal sends it; leading zeros count. Every row held for it is released.",
    "El PIN como lo envía el terminal; los ceros iniciales cuentan. Se libera toda fila retenida por él.",
);
pub(super) const NAME: Text = Text("Name (optional)", "Nombre (opcional)");
pub(super) const FIX_PIN: Text = Text("Say whose it is", "Decir de quién es");
pub(super) const PIN_OF: Text = Text("PIN of the person", "PIN de la persona");
pub(super) const PIN_HINT: Text = Text(
    "If you know who it was. What the terminal sent stays as it is.",
    "Si sabe quién fue. Lo que envió el terminal queda como está.",
);
pub(super) const FIX_TEXT: Text = Text("Put the row right", "Corregir la fila");
pub(super) const RIGHT_ROW: Text = Text("The row as it should be", "La fila como debería ser");
pub(super) const ROW_HINT: Text = Text(
    "PIN, tab, YYYY-MM-DD hh:mm:ss, tab, state. The bytes that came are kept.",
    "PIN, tabulador, AAAA-MM-DD hh:mm:ss, tabulador, estado. Se conservan los bytes que llegaron.",
);
pub(super) const FIX_TIME: Text = Text("Put the time right", "Corregir la hora");
pub(super) const TRUE_TIME: Text = Text("What the clock should have shown", "Lo que el reloj debió mostrar");
pub(super) const TRUE_TIME_HINT: Text = Text(
    "In the terminal's own time zone. What it showed is kept beside it.",
    "En la zona horaria del terminal. Lo que mostraba se conserva al lado.",
);
pub(super) const FIX_ALL: Text = Text(
    "Move all rows of this terminal that have the same reason by as much",
    "Mover igual todas las filas de este terminal con el mismo motivo",
);
pub(super) const PUT_AWAY: Text = Text("Put it away", "Apartarla");
pub(super) const WHY: Text = Text("Why", "Por qué");
pub(super) const WHY_HINT: Text = Text(
    "It stays and is counted, and nobody waits for it. It can be taken back.",
    "Se conserva y se cuenta, y nadie la espera. Se puede recuperar.",
);
pub(super) const TAKEN_AGAIN: Text = Text(
    "Taken once more: {} delivered, {} second punches, {} still held.",
    "Procesado otra vez: {} entregadas, {} segundas marcaciones, {} aún retenidas.",
);
pub(super) const REGISTERED: Text = Text(
    "The badge is registered. Of its rows {} are delivered, {} are second punches, {} are still held.",
    "La credencial está registrada. De sus filas, {} entregadas, {} segundas marcaciones, {} aún retenidas.",
);
pub(super) const PUT_AWAY_NOW: Text = Text("The row is put away.", "La fila está apartada.");
pub(super) const ROW_UNREAD: Text = Text(
    "This row could not be read. Put it right, or put it away.",
    "No se pudo leer esta fila. Corríjala o apártela.",
);
pub(super) const ROW_GONE: Text =
    Text("This row is not in quarantine any more.", "Esta fila ya no está en cuarentena.");
pub(super) const BAD_SHIFT: Text = Text(
    "This time would be before 2010, or more than a day after the row was received. Nothing was changed.",
    "Esa hora sería anterior a 2010, o más de un día posterior a la recepción de la fila. No se cambió nada.",
);
pub(super) const BAD_PIN: Text = Text("This is no PIN. Nothing was changed.", "Esto no es un PIN. No se cambió nada.");
pub(super) const BAD_TEXT: Text =
    Text("This is no row either. Nothing was changed.", "Esto tampoco es una fila. No se cambió nada.");
pub(super) const BAD_REASON: Text =
    Text("Say why, in 1 to 500 bytes. Nothing was changed.", "Diga por qué, en 1 a 500 bytes. No se cambió nada.");
pub(super) const BAD_BADGE: Text =
    Text("This is no badge number. Nothing was changed.", "Esto no es un número de credencial. No se cambió nada.");
pub(super) const BADGE_TAKEN: Text = Text(
    "This badge is registered with an id or is somebody else's. Change it with `POST /v1/employees`.",
    "Esta credencial está registrada con un id o es de otra persona. Cámbiela con `POST /v1/employees`.",
);
pub(super) const HELD: Text = Text("held", "retenida");
pub(super) const DISCARDED: Text = Text("put away", "apartada");
pub(super) const UNREGISTERED_BADGE: Text = Text("badge not registered", "credencial no registrada");
pub(super) const ANONYMOUS: Text = Text("names nobody", "no nombra a nadie");
pub(super) const CLOCK_RESET: Text = Text("clock was unset", "reloj sin ajustar");
pub(super) const FUTURE: Text = Text("in the future", "en el futuro");
pub(super) const MALFORMED: Text = Text("could not be read", "ilegible");
pub(super) const ADVICE_UNREGISTERED_BADGE: Text = Text(
    "Nobody is registered under this PIN. Register the badge; its rows are released.",
    "Nadie está registrado con este PIN. Registre la credencial; sus filas se liberan.",
);
pub(super) const ADVICE_ANONYMOUS: Text = Text(
    "The row has no PIN. Say whose it is if you know, or put it away.",
    "La fila no tiene PIN. Diga de quién es si lo sabe, o apártela.",
);
pub(super) const ADVICE_CLOCK_RESET: Text = Text(
    "The terminal's clock was unset. Set it, then say what it should have shown.",
    "El reloj del terminal estaba sin ajustar. Ajústelo y diga qué debió mostrar.",
);
pub(super) const ADVICE_FUTURE: Text = Text(
    "The time is more than a day ahead of its receipt. Put the terminal's zone right in punch.toml, or the time of this row here.",
    "La hora está más de un día por delante de la recepción. Corrija la zona del terminal en punch.toml, o aquí la hora de esta fila.",
);
pub(super) const ADVICE_CLOCK_WRONG: Text = Text(
    "The terminal's clock is known to be wrong, and its rows are to be held then. Put the time right, or take the row once more after the clock was set.",
    "Se sabe que el reloj del terminal está mal, y sus filas se retienen entonces. Corrija la hora, o procese la fila otra vez cuando el reloj esté ajustado.",
);
pub(super) const ADVICE_MALFORMED: Text = Text(
    "Compare the bytes with the terminal's manual; put the row right, or put it away.",
    "Compare los bytes con el manual del terminal; corrija la fila o apártela.",
);

#[cfg(test)]
mod tests {
    /// Every line of the table above, as its two texts.
    fn table() -> Vec<[&'static str; 2]> {
        let text = include_str!("text.rs").split("#[cfg(test)]").next().unwrap_or_default();
        let texts = text.split("\npub(super) const ").skip(1).map(|line| {
            let literals: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
            literals.try_into().unwrap_or_else(|found| panic!("expected two texts: {found:?} of {line}"))
        });
        texts.collect()
    }

    #[test]
    fn every_text_is_there_in_both_languages_and_has_the_same_gaps() {
        let table = table();
        assert!(table.len() > 150, "the table was read: {}", table.len());
        // Said alike in both.
        let alike = ["Terminal"];
        for [english, spanish] in table {
            assert!(!english.trim().is_empty() && !spanish.trim().is_empty(), "{english} | {spanish}");
            assert_eq!(english.matches("{}").count(), spanish.matches("{}").count(), "{english} | {spanish}");
            assert!(english != spanish || alike.contains(&english), "not translated: {english}");
        }
    }
}
